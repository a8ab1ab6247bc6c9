/**
 * Keys: one letter each, never while something is typed; the help says which.
 */
import { button, element } from "./dom.js";
import { addressOf, go } from "./place.js";
import { NAVIGATION } from "./views.js";

const OTHERS = [
  ["/", "to the filters"],
  ["f", "fetch again what is shown"],
  ["p", "pause or go on with live updates"],
  ["?", "this help"],
];

/** @param {Record<string, () => void>} acts what the keys f and p do */
export function listenToKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const view = NAVIGATION.find(([, , key]) => key === event.key);
    const act = view ? () => go(addressOf(view[0])) : { "?": showHelp, "/": toFilters, ...acts }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}

function toFilters() {
  const form = document.querySelector("form.filters");
  form?.querySelector("details")?.setAttribute("open", "");
  const first = form?.querySelector("details input");
  if (first instanceof HTMLElement) first.focus();
}

/** Show which keys there are. */
export function showHelp() {
  const keys = [...NAVIGATION.map(([, word, key]) => [key, word]), ...OTHERS];
  const dialog = element(
    "dialog",
    { "aria-labelledby": "help-title", on: { close: () => dialog.remove() } },
    element("h2", { id: "help-title" }, "Keys"),
    element("dl", { class: "keys-help" }, keys.map(([key, words]) => element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)))),
    element("p", {}, "Tab and Shift+Tab go to everything else, Enter and Space press it, Escape closes this."),
    button("Close", () => dialog.close(), { class: "main" }),
  );
  document.body.append(dialog);
  dialog.showModal();
}
