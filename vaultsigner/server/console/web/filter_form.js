/**
 * The form of filters. What is chosen goes into the address bar, and comes from there.
 */
import { button, element, labelled } from "./dom.js";
import { FILTERS, addressOf, go, parameters } from "./place.js";
import { plain } from "./shown.js";

const PERIODS = [
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
  ["365d", "the last 365 days"],
];
const ALL = ["all", "all there is"];
const KINDS = ["request", "intent", "outcome", "dispatch", "control", "checkpoint"];
const TEXTS = {
  principal: ["Who", "e.g. user:sam, client:bot-1"],
  target: ["On what", "e.g. wallet:wallet_1, exchange:main"],
  operation: ["Operation", "e.g. transfer.broadcast, transfer.*"],
  code: ["Code", "e.g. policy_denied, ok, approval_required"],
  rule: ["Rule", "its id in the policy"],
  request_id: ["Request", "the X-Request-Id of its answer"],
  amount_above: ["Amount above", "e.g. 10.5"],
  amount_below: ["Amount below", "e.g. 100"],
};
const CHOICES = { effect: ["Decision", ["allow", "deny"]], kind: ["Kind", KINDS] };

/**
 * @param {string} view which is shown with what is chosen
 * @param {string} period what counts where the address has no time
 * @returns {HTMLFormElement}
 */
export function filterForm(view, period) {
  const given = parameters();
  const used = FILTERS.filter((name) => name !== "since" && name !== "until" && given.get(name)).length;
  const form = element(
    "form",
    { class: "filters", role: "search", on: { submit: (/** @type {Event} */ event) => submit(event, view, period) } },
    labelled("Period", periodField(given, period, view === "overview" ? PERIODS : [...PERIODS, ALL])),
    element(
      "details",
      { open: used > 0 || given.get("until") !== null },
      element("summary", {}, used > 0 ? `Filters (${used})` : "Filters"),
      element("div", { class: "fields" }, fields(given)),
    ),
    element(
      "div",
      { class: "row" },
      element("button", { type: "submit" }, "Show"),
      element("a", { class: "button", href: addressOf(view) }, "Clear"),
    ),
  );
  return form;
}

/**
 * @param {URLSearchParams} given
 * @param {string} period
 * @param {string[][]} periods to choose from
 */
function periodField(given, period, periods) {
  const since = given.get("since") ?? (given.get("until") ? "between" : period);
  const known = periods.some(([value]) => value === since);
  return element(
    "select",
    { id: "filter-since", name: "since" },
    periods.map(([value, words]) => element("option", { value, selected: value === since }, words)),
    element("option", { value: "between", selected: !known }, "between two moments"),
  );
}

/** @param {URLSearchParams} given */
function fields(given) {
  return [
    ...Object.entries(TEXTS).map(([name, [label, example]]) =>
      labelled(
        label,
        element("input", {
          id: `filter-${name}`,
          name,
          value: given.get(name) ?? "",
          autocomplete: "off",
          spellcheck: "false",
          inputmode: name.startsWith("amount") ? "decimal" : null,
        }),
        example,
      ),
    ),
    ...Object.entries(CHOICES).map(([name, [label, values]]) =>
      labelled(
        String(label),
        element(
          "select",
          { id: `filter-${name}`, name },
          element("option", { value: "" }, "any"),
          [...values].map((value) => element("option", { value, selected: given.get(name) === value }, value)),
        ),
      ),
    ),
    momentField("From (UTC)", "from", given.get("since")),
    momentField("Until (UTC)", "until", given.get("until")),
  ];
}

/**
 * @param {string} label
 * @param {string} name
 * @param {string | null} value
 */
function momentField(label, name, value) {
  const date = value ? new Date(value) : null;
  const known = date !== null && !Number.isNaN(date.getTime());
  const input = element("input", {
    id: `filter-${name}`,
    name,
    type: "datetime-local",
    step: "1",
    value: known ? date.toISOString().slice(0, 19) : "",
  });
  return labelled(label, input, name === "from" ? "counts where the period is between two moments" : undefined);
}

/**
 * @param {Event} event
 * @param {string} view
 * @param {string} period
 */
function submit(event, view, period) {
  event.preventDefault();
  const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
  const chosen = new URLSearchParams();
  for (const name of FILTERS) {
    const value = String(data.get(name) ?? "").trim();
    if (value) chosen.set(name, name === "until" ? inUtc(value) : value);
  }
  if (chosen.get("since") === "between") {
    const from = String(data.get("from") ?? "");
    if (from) chosen.set("since", inUtc(from));
    else if (chosen.has("until")) chosen.delete("since");
    else chosen.set("since", period);
  }
  go(addressOf(view, chosen));
}

/** @param {string} value of a field that has no time zone */
function inUtc(value) {
  return `${value.length === 16 ? `${value}:00` : value}Z`;
}

/**
 * What is filtered for, each with a way to be rid of it.
 * @param {string} view
 */
export function chosenFilters(view) {
  const given = parameters();
  const chosen = FILTERS.filter((name) => name !== "since" && name !== "until" && given.get(name));
  if (chosen.length === 0) return null;
  return element(
    "ul",
    { class: "chosen", "aria-label": "Filters in force" },
    chosen.map((name) => {
      const words = `${{ ...TEXTS, ...CHOICES }[name][0]}: ${plain(given.get(name))}`;
      return element("li", {}, button(`${words} ✕`, () => drop(view, name), { "aria-label": `Remove the filter ${words}` }));
    }),
  );
}

/**
 * @param {string} view
 * @param {string} name
 */
function drop(view, name) {
  const given = parameters();
  given.delete(name);
  go(addressOf(view, given));
}
