/**
 * The address bar: which view, and what it is narrowed down to. Everything that is shown can be sent to a colleague as a link.
 */

/** The names of filters, as the service knows them. */
export const FILTERS = [
  "since",
  "until",
  "principal",
  "target",
  "operation",
  "code",
  "rule",
  "effect",
  "kind",
  "request_id",
  "amount_above",
  "amount_below",
];

/** @type {() => void} */
let moved = () => {};
let shownSearch = location.search;

/** @param {() => void} listener is told when the address has changed */
export function onMove(listener) {
  moved = listener;
  addEventListener("popstate", () => {
    // The skip link changes only what follows the #, and the view stays.
    if (location.search !== shownSearch) go(location.search);
  });
  document.addEventListener("click", follow);
}

/** @returns {URLSearchParams} */
export function parameters() {
  return new URLSearchParams(location.search);
}

/** @returns {string} */
export function viewName() {
  return parameters().get("view") ?? "overview";
}

/**
 * The filters that are in the address, as they are there: a period such as 24h stays one.
 * @param {string} [since] where none is given
 */
export function filters(since = undefined) {
  const given = parameters();
  const found = new URLSearchParams();
  for (const name of FILTERS) {
    const value = given.get(name);
    if (value) found.set(name, value);
  }
  if (since && !found.has("since") && !found.has("until")) found.set("since", since);
  return found;
}

const HOURS = { h: 1, d: 24 };

/**
 * The same as questions to the service, which knows moments alone.
 * @param {string} since where none is given
 */
export function askedFor(since) {
  const asked = filters(since);
  const period = /^([1-9][0-9]{0,4})([hd])$/.exec(asked.get("since") ?? "");
  if (period !== null) {
    const milliseconds = Number(period[1]) * HOURS[period[2]] * 3600000;
    asked.set("since", new Date(Date.now() - milliseconds).toISOString());
  }
  if (asked.get("since") === "all") asked.delete("since");
  return asked;
}

/**
 * The address of a view.
 * @param {string} view
 * @param {Record<string, string | number | null | undefined> | URLSearchParams} [members]
 */
export function addressOf(view, members = {}) {
  const query = new URLSearchParams({ view });
  const pairs = members instanceof URLSearchParams ? members : Object.entries(members);
  for (const [name, value] of pairs) {
    if (value !== null && value !== undefined && value !== "" && name !== "view") query.set(name, String(value));
  }
  return `?${query}`;
}

/**
 * Go to an address of this page.
 * @param {string} address
 */
export function go(address) {
  if (address !== location.search) history.pushState(null, "", address || location.pathname);
  shownSearch = location.search;
  moved();
}

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a[href^='?']") : null;
  if (link === null) return;
  event.preventDefault();
  go(link.getAttribute("href") ?? "?");
}
