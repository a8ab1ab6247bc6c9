/**
 * What happened over time, who did it, on what, and by which rule.
 */
import { get } from "./api.js";
import { element } from "./dom.js";
import { chosenFilters, filterForm } from "./filter_form.js";
import { addressOf, askedFor, filters } from "./place.js";
import { plotOf, seriesOf } from "./plot.js";
import { nothing, region } from "./region.js";
import { count, counted, moment, shown } from "./shown.js";
import { table } from "./table.js";

const PERIOD = "24h";
const BREAKDOWNS = [
  ["principal", "Who", "By caller"],
  ["target", "On what", "By wallet and exchange"],
  ["rule", "Rule", "By rule"],
  ["code", "Code", "By result"],
  ["operation", "Operation", "By operation"],
];

/** @returns {import("./views.js").View} */
export function overview() {
  const results = region(load, "Counting …");
  return {
    title: "Overview",
    nodes: [filterForm("overview", PERIOD), chosenFilters("overview"), results.node],
    refresh: results.refresh,
    concerns: () => true,
  };
}

async function load() {
  const asked = askedFor(PERIOD);
  asked.set("buckets", "60");
  const summary = await get("/api/audit/summary", asked);
  return [
    unreadable(summary.unreadable),
    summary.records === 0 && nothing("Nothing is on record for this period and these filters. Choose a longer period, or fewer filters."),
    element("p", { class: "period" }, "From ", moment(summary.since), " until ", moment(summary.until), `: ${counted(summary.records, "record")}.`),
    tiles(summary),
    element("section", { "aria-labelledby": "over-time" }, element("h2", { id: "over-time" }, "Over time"), await plotOf(summary)),
    element("div", { class: "breakdowns" }, BREAKDOWNS.map(([name, title, heading]) => breakdown(summary, name, title, heading))),
  ];
}

/**
 * Lines that are no records are damage, or not ours.
 * @param {number} lines
 */
export function unreadable(lines) {
  if (!lines) return null;
  return element(
    "p",
    { class: "notice trouble", role: "alert" },
    `${count(lines)} lines of the record cannot be read and are counted nowhere. Find out which with `,
    element("code", {}, "vaultsigner audit verify"),
    ".",
  );
}

/** @param {any} summary */
function tiles(summary) {
  const series = seriesOf(summary.buckets);
  const sum = (/** @type {(name: string) => boolean} */ fits) =>
    series.filter((each) => fits(each.name)).reduce((all, each) => all + each.values.reduce((one, value) => one + value, 0), 0);
  const tile = (/** @type {string} */ words, /** @type {number} */ number, /** @type {string} */ look, /** @type {string} */ href) =>
    element("li", {}, element("a", { href, class: `tile ${look}` }, element("strong", {}, count(number)), ` ${words}`));
  const given = filters(PERIOD);
  const narrowed = (/** @type {Record<string, string>} */ more) => {
    const members = new URLSearchParams(given);
    for (const [name, value] of Object.entries(more)) members.set(name, value);
    return addressOf("records", members);
  };
  return element(
    "ul",
    { class: "tiles" },
    tile("allowed", sum((name) => name === "allowed"), "good", narrowed({ kind: "outcome", code: "ok" })),
    tile("waiting for approval", sum((name) => name.startsWith("waiting")), "waiting", narrowed({ code: "approval_required" })),
    tile("refused", sum((name) => name.startsWith("refused")), "bad", addressOf("records", given)),
  );
}

/**
 * @param {any} summary
 * @param {string} name of the filter
 * @param {string} title
 * @param {string} heading
 */
function breakdown(summary, name, title, heading) {
  const rows = Object.entries(summary.by[name] ?? {}).sort((one, other) => other[1] - one[1]);
  const given = filters(PERIOD);
  const link = (/** @type {string} */ value) => {
    const members = new URLSearchParams(given);
    members.set(name, value);
    return element("a", { href: addressOf("records", members) }, shown(value));
  };
  const columns = [
    { title, heading: true, cell: (/** @type {any} */ row) => link(row[0]), order: (/** @type {any} */ row) => row[0] },
    { title: "Count", number: true, cell: (/** @type {any} */ row) => count(row[1]), order: (/** @type {any} */ row) => row[1] },
  ];
  return element(
    "section",
    { class: "card" },
    rows.length === 0
      ? [element("h2", {}, heading), nothing("None in this period.")]
      : table(heading, columns, rows, { key: (row) => `${name} ${row[0]}` }),
  );
}
