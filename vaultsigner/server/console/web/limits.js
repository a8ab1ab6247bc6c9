/**
 * The limits of the policy in force, and how full they are.
 */
import { get } from "./api.js";
import { element } from "./dom.js";
import { addressOf } from "./place.js";
import { nothing, region } from "./region.js";
import { count, counted, moment, plain, shown } from "./shown.js";
import { table } from "./table.js";

/** @returns {import("./views.js").View} */
export function limits() {
  const results = region(load, "Fetching the limits …");
  return {
    title: "Limits",
    nodes: [
      element("p", { class: "lead" }, "How much of each limit is used now. What is counted is never given back for an outcome that is not known."),
      results.node,
    ],
    refresh: results.refresh,
    concerns: (record) => record.kind === "outcome",
  };
}

async function load() {
  const { limits: found, left_out: more } = await get("/api/limits");
  if (found.length === 0) return nothing("The policy in force has no limits. They stand in its rules, under limits.");
  return [more > 0 && nothing(`${count(more)} more are left out here.`), limitTable(found)];
}

const untilColumn = { title: "Counts until", cell: (/** @type {any} */ row) => (row.until ? moment(row.until) : shown(null)) };

/** @param {any[]} found */
function limitTable(found) {
  return table(
    counted(found.length, "limit"),
    [
      {
        title: "Rule",
        heading: true,
        cell: (row) => element("a", { href: addressOf("records", { rule: row.rule, since: "all" }) }, shown(row.rule)),
        order: (row) => plain(row.rule),
      },
      { title: "Limit", cell: (row) => shown(inWords(row.limit)), order: (row) => plain(row.limit) },
      { title: "For", cell: (row) => shown(row.subject, "all together"), order: (row) => plain(row.subject) },
      { title: "Used", number: true, cell: (row) => [shown(row.used), " of ", shown(row.most)], order: fullness },
      { title: "How full", cell: meter, order: fullness },
      ...(found.some((row) => row.until) ? [untilColumn] : []),
    ],
    found,
    { key: (row) => `${row.rule} ${row.limit} ${row.subject}` },
  );
}

/**
 * The service counts seconds; people do not.
 * @param {string} limit
 */
function inWords(limit) {
  return limit.replace(/every ([0-9]+) s\b/, (_, text) => {
    const seconds = Number(text);
    const [one, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([each]) => seconds % each === 0);
    const many = seconds / one;
    return many === 1 ? `every ${unit}` : `every ${many} ${unit}s`;
  });
}

/** @param {any} row */
function fullness(row) {
  const [used, most] = [Number(row.used), Number(row.most)];
  return most > 0 ? used / most : 1;
}

/** @param {any} row */
function meter(row) {
  const percent = Math.round(fullness(row) * 100);
  const label = `${plain(row.limit)} for ${plain(row.subject ?? "all together")}`;
  return [
    element("meter", { min: "0", max: "100", high: "90", low: "70", optimum: "0", value: String(Math.min(percent, 100)), "aria-label": label }),
    ` ${percent} %`,
  ];
}
