/**
 * Tables that a screen reader, a keyboard and a narrow screen can all use. A button in each heading sorts.
 */
import { button, element } from "./dom.js";

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: any) => import("./dom.js").Child} cell
 * @property {(row: any) => string | number} [order] what to sort by; left out: cannot be sorted by
 * @property {boolean} [number] stands at the right
 * @property {boolean} [heading] names its row
 */

/**
 * @param {string} caption
 * @param {Column[]} columns
 * @param {any[]} rows
 * @param {{key?: (row: any) => string, quiet?: boolean}} [options] key: tells rows apart; quiet: the caption is for screen readers
 */
export function table(caption, columns, rows, options = {}) {
  const body = element("tbody", { role: "rowgroup" });
  const headings = columns.map((column, index) => heading(column, index, sort));
  /** @type {{index: number, down: boolean} | null} */
  let sorted = null;

  /** @param {number} index */
  function sort(index) {
    sorted = { index, down: sorted?.index === index ? !sorted.down : Boolean(columns[index].number) };
    headings.forEach((each, place) => {
      if (place === index) each.setAttribute("aria-sort", sorted?.down ? "descending" : "ascending");
      else each.removeAttribute("aria-sort");
    });
    fill([...rows].sort((one, other) => compare(columns[index], one, other) * (sorted?.down ? -1 : 1)));
  }

  /** @param {any[]} ordered */
  function fill(ordered) {
    body.replaceChildren(...ordered.map((row) => rowOf(columns, row, options.key)));
  }

  fill(rows);
  return element(
    "table",
    { role: "table" },
    element("caption", { class: options.quiet ? "for-readers" : null }, caption),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, headings)),
    body,
  );
}

/**
 * @param {Column} column
 * @param {number} index
 * @param {(index: number) => void} sort
 */
function heading(column, index, sort) {
  const label = column.order ? button(column.title, () => sort(index), { class: "sort" }) : column.title;
  return element("th", { scope: "col", role: "columnheader", class: column.number ? "number" : null }, label);
}

/**
 * @param {Column[]} columns
 * @param {any} row
 * @param {((row: any) => string) | undefined} key
 */
function rowOf(columns, row, key) {
  const cells = columns.map((column) =>
    element(
      column.heading ? "th" : "td",
      {
        scope: column.heading ? "row" : null,
        role: column.heading ? "rowheader" : "cell",
        class: column.number ? "number" : null,
        "data-title": column.title,
      },
      element("div", { class: "cell" }, column.cell(row)),
    ),
  );
  return element("tr", { role: "row", "data-row": key ? key(row) : null }, cells);
}

/**
 * @param {Column} column
 * @param {any} one
 * @param {any} other
 */
function compare(column, one, other) {
  const [first, second] = [column.order?.(one) ?? "", column.order?.(other) ?? ""];
  if (typeof first === "number" && typeof second === "number") return first - second;
  return String(first).localeCompare(String(second), "en", { numeric: true });
}
