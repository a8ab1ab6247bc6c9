/**
 * The health of each chain: how long it is, its last checkpoint, and whether the anchors have it.
 */
import { get } from "./api.js";
import { element } from "./dom.js";
import { nothing, region } from "./region.js";
import { count, counted, moment, plain, shown } from "./shown.js";
import { table } from "./table.js";

/** @returns {import("./views.js").View} */
export function chains() {
  const results = region(load, "Looking at the chains …");
  return {
    title: "Chains and anchors",
    nodes: [
      element(
        "p",
        { class: "lead" },
        "A chain is one process's record. Anchors keep its signed checkpoints elsewhere, so that a cut or a rewritten chain is seen. " +
          "What is shown here is what the service says of itself; whether every record is as it was written, ",
        element("code", {}, "vaultsigner audit verify"),
        " tells.",
      ),
      results.node,
    ],
    refresh: results.refresh,
    concerns: (record) => record.kind === "checkpoint" || record.kind === "control",
  };
}

async function load() {
  const found = await get("/api/audit/chains");
  return [
    found.problem
      ? element("p", { class: "notice trouble", role: "alert" }, "The record has a problem: ", shown(found.problem))
      : element("p", { class: "notice good" }, "The record is being written, and no problem is known."),
    chainTable(found.chains),
    anchors(found.anchors),
    keys(found.keys),
  ];
}

/** @param {any[]} rows */
function chainTable(rows) {
  if (rows.length === 0) return nothing("There is no chain yet.");
  return table(
    counted(rows.length, "chain"),
    [
      { title: "Chain", heading: true, cell: (row) => [shown(row.chain), row.own && " (this server's)"], order: (row) => plain(row.chain) },
      { title: "Records", number: true, cell: (row) => count(row.records), order: (row) => row.records },
      { title: "Last record", cell: (row) => moment(row.last), order: (row) => row.last ?? "" },
      { title: "Last checkpoint", cell: checkpoint, order: (row) => row.checkpoint?.time ?? "" },
      { title: "Not covered yet", number: true, cell: (row) => count(uncovered(row)), order: uncovered },
      { title: "Files", number: true, cell: (row) => count(row.files), order: (row) => row.files },
      { title: "Size", number: true, cell: (row) => size(row.bytes), order: (row) => row.bytes },
    ],
    rows,
    { key: (row) => row.chain },
  );
}

/** @param {any} row */
function uncovered(row) {
  return row.records - (row.checkpoint?.size ?? 0);
}

/** @param {any} row */
function checkpoint(row) {
  if (!row.checkpoint) return element("span", { class: "result waiting" }, "none yet");
  return [`${count(row.checkpoint.size)} records, `, moment(row.checkpoint.time)];
}

/** @param {any[]} rows */
function anchors(rows) {
  if (rows.length === 0) {
    return element(
      "section",
      {},
      element("h2", {}, "Anchors"),
      nothing("None is configured: a chain that was cut off or rewritten could not be told from one that was not. Name one in config.yml under audit.anchors."),
    );
  }
  return table(
    counted(rows.length, "anchor"),
    [
      { title: "Anchor", heading: true, cell: (row) => shown(row.name), order: (row) => plain(row.name) },
      { title: "Kind", cell: (row) => shown(row.kind), order: (row) => plain(row.kind) },
      { title: "Health", cell: health, order: (row) => plain(row.problem) },
      { title: "Waiting", number: true, cell: (row) => count(row.waiting), order: (row) => row.waiting },
      { title: "Last delivered", cell: (row) => (row.last ? [moment(row.last.time), ": ", shown(row.last.chain), `, ${count(row.last.size)} records`] : shown(null, "nothing yet")), order: (row) => row.last?.time ?? "" },
    ],
    rows,
    { key: (row) => row.name },
  );
}

/** @param {any} row */
function health(row) {
  return row.problem ? element("span", { class: "result bad" }, shown(row.problem)) : element("span", { class: "result good" }, "well");
}

/** @param {string[]} found */
function keys(found) {
  return element(
    "section",
    { "aria-labelledby": "keys" },
    element("h2", { id: "keys" }, "Keys that sign checkpoints"),
    element("p", {}, "Compare them with the trust file that you keep elsewhere."),
    found.length === 0 ? nothing("The service names none.") : element("ul", { class: "keys" }, found.map((key) => element("li", {}, element("code", {}, shown(key))))),
  );
}

/** @param {number} bytes */
function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value.toLocaleString("en", { maximumFractionDigits: unit === 0 ? 0 : 1 })} ${units[unit]}`;
}
