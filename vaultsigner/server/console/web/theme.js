/**
 * Light and dark: as the system has it, unless the reader chooses.
 */
import { element } from "./dom.js";

const KEY = "vaultsigner.theme";
const CHOICES = [
  ["system", "system colours"],
  ["light", "light"],
  ["dark", "dark"],
];

/** @param {() => void} changed is told when colours are others */
export function themeSwitch(changed) {
  apply(localStorage.getItem(KEY) ?? "system");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  const chosen = localStorage.getItem(KEY) ?? "system";
  const select = element(
    "select",
    { id: "theme", on: { change } },
    CHOICES.map(([value, words]) => element("option", { value, selected: value === chosen }, words)),
  );

  function change() {
    if (select.value === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, select.value);
    apply(select.value);
    changed();
  }

  return element("div", { class: "theme" }, element("label", { for: "theme", class: "for-readers" }, "Colours"), select);
}

/** @param {string} theme */
function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
