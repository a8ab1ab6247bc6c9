/**
 * Records, newest first, by the filters in the address; older ones on demand; all of them as CSV.
 */
import { get, stream } from "./api.js";
import { button, element } from "./dom.js";
import { save } from "./download.js";
import { chosenFilters, filterForm } from "./filter_form.js";
import { unreadable } from "./overview.js";
import { addressOf, askedFor } from "./place.js";
import { nothing, region, trouble } from "./region.js";
import { count, counted, moment, plain, principalOf, resultOf, shown, targetOf } from "./shown.js";
import { table } from "./table.js";

const PERIOD = "7d";
const AT_ONCE = 100;

/** @returns {import("./views.js").View} */
export function records() {
  /** @type {any[]} */
  let older = [];
  /** @type {string | null} */
  let next = null;
  const results = region(load, "Looking them up …");

  async function load() {
    const page = await page_(older.length > 0 ? Math.min(1000, AT_ONCE + older.length) : AT_ONCE, null);
    if (page.records.length === 0) {
      return [unreadable(page.unreadable), nothing("No record fits. Choose a longer period, or fewer filters.")];
    }
    next = page.next;
    older = page.records.slice(AT_ONCE);
    return show(page.records, page.unreadable);
  }

  /**
   * @param {any[]} found
   * @param {number} damaged
   */
  function show(found, damaged) {
    return [
      unreadable(damaged),
      recordTable(`${counted(found.length, "record")}, the newest first`, found),
      next !== null && button("Show older ones", (event) => more(found, damaged, event.target), { class: "more" }),
    ];
  }

  /**
   * @param {any[]} found
   * @param {number} damaged
   * @param {any} pressed
   */
  async function more(found, damaged, pressed) {
    pressed.disabled = true;
    try {
      const page = await page_(AT_ONCE, next);
      next = page.next;
      older = [...older, ...page.records];
      results.node.replaceChildren(...show([...found, ...page.records], damaged).filter((each) => each instanceof Node));
    } catch (error) {
      pressed.after(trouble(error, () => results.refresh()));
    }
  }

  return {
    title: "Records",
    nodes: [filterForm("records", PERIOD), chosenFilters("records"), exportButton(), results.node],
    refresh: results.refresh,
    concerns: () => true,
  };
}

/**
 * @param {number} latest
 * @param {string | null} before
 */
function page_(latest, before) {
  const asked = askedFor(PERIOD);
  asked.set("latest", String(latest));
  if (before !== null) asked.set("before", before);
  return get("/api/audit/records", asked);
}

/**
 * @param {string} caption
 * @param {any[]} rows
 */
export function recordTable(caption, rows) {
  return table(
    caption,
    [
      { title: "Time", heading: true, cell: (row) => link(row), order: (row) => `${row.time}${String(row.seq).padStart(15, "0")}` },
      { title: "Kind", cell: (row) => shown(row.kind), order: (row) => plain(row.kind) },
      { title: "Who", cell: (row) => shown(principalOf(row)), order: (row) => plain(principalOf(row)) },
      { title: "Operation", cell: (row) => shown(row.operation ?? row.event), order: (row) => plain(row.operation ?? row.event) },
      { title: "On what", cell: (row) => shown(targetOf(row)), order: (row) => plain(targetOf(row)) },
      { title: "Result", cell: result, order: (row) => plain(resultOf(row).word) },
      { title: "Rule or reason", cell: (row) => shown(row.decision?.rule ?? row.reason), order: (row) => plain(row.decision?.rule ?? row.reason) },
    ],
    rows,
    { key: (row) => `${row.chain}:${row.seq}` },
  );
}

/** @param {any} row */
export function link(row) {
  return element("a", { href: addressOf("record", { chain: row.chain, seq: row.seq }) }, moment(row.time));
}

/** @param {any} row */
export function result(row) {
  const { word, look } = resultOf(row);
  return element("span", { class: `result ${look}` }, shown(word));
}

function exportButton() {
  const said = element("span", { role: "status" });
  const pressed = button(
    "Save all that fit as CSV",
    async () => {
      pressed.disabled = true;
      said.replaceChildren("Fetching …");
      try {
        const response = await stream("/api/audit/records.csv", askedFor(PERIOD));
        const body = await response.blob();
        save("vaultsigner-records.csv", body);
        said.replaceChildren(`Saved, ${count(body.size)} bytes.`);
      } catch (error) {
        said.replaceChildren(trouble(error, () => pressed.click()));
      }
      pressed.disabled = false;
    },
    { id: "export-csv" },
  );
  return element("div", { class: "row" }, pressed, said);
}
