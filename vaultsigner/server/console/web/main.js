/**
 * The page's frame: who is logged in, which view is shown, and when it is fetched again.
 */
import { button, element, replaceChildren } from "./dom.js";
import { listenToKeys, showHelp } from "./keyboard.js";
import { Live } from "./live.js";
import { logInForm } from "./log_in.js";
import { addressOf, onMove, viewName } from "./place.js";
import { nothing } from "./region.js";
import { moment, plain } from "./shown.js";
import { currentToken, end, expiry, onEnd, username, watch } from "./session.js";
import { themeSwitch } from "./theme.js";
import { NAVIGATION, VIEWS } from "./views.js";

/* What is fetched is itself on record: an open page fetches once in this time, however much happens. */
const PAUSE_MS = 5000;
const SOON_MS = 500;
/* What this page asks for may be on record as well: fetching again for that would never end. */
const READING = /^(audit\.|limits?\.|approval\.(list|read)$|suspension\.list$)/;

const content = element("main", { id: "content", tabindex: "-1" });
const state = element("span", { class: "state", role: "status" });
const toggle = button("Pause", pause, { class: "quiet", id: "live-toggle" });
const theme = themeSwitch(() => view?.refresh());
const live = new Live(onRecord, onState, () => later());

/** @type {import("./views.js").View | null} */
let view = null;
let shownAddress = "";
let paused = false;
let timer = 0;
let fetched = 0;

/** @param {any} record */
function onRecord(record) {
  if (!READING.test(record.operation ?? "") && view?.concerns(record)) later();
}

/** Fetch again soon, once for many records. */
function later() {
  if (timer !== 0) return;
  timer = setTimeout(
    () => {
      timer = 0;
      fetched = Date.now();
      if (!paused) view?.refresh();
    },
    Math.max(SOON_MS, fetched + PAUSE_MS - Date.now()),
  );
}

/**
 * @param {import("./live.js").State} found
 * @param {string} words
 */
function onState(found, words) {
  state.dataset.state = found;
  if (state.textContent !== words) state.textContent = words;
}

function pause() {
  paused = !paused;
  toggle.textContent = paused ? "Go on" : "Pause";
  toggle.setAttribute("aria-label", paused ? "Go on with live updates" : "Pause live updates");
  if (paused) {
    live.stop("Paused");
  } else {
    live.start();
    view?.refresh();
  }
}

function frame() {
  return [
    element(
      "header",
      {},
      element("p", { class: "brand" }, element("a", { href: "?view=overview" }, "vaultsigner")),
      element(
        "nav",
        { "aria-label": "Views" },
        element("ul", {}, NAVIGATION.map(([name, word]) => element("li", {}, element("a", { href: addressOf(name), "data-view": name }, word)))),
      ),
      element(
        "div",
        { class: "tools" },
        element("div", { class: "live" }, state, toggle),
        theme,
        button("Keys", showHelp, { class: "quiet", "aria-label": "Help on keys" }),
        element("div", { class: "who" }, plain(username()), " ", button("Log out", () => end("You have logged out."), { class: "quiet", id: "log-out" })),
      ),
    ),
    content,
    element("footer", {}, "Logged in until ", moment(expiry()), ". Times are UTC; point at one for your own time zone."),
  ];
}

/** Show what the address names. */
function show() {
  if (currentToken() === null) return;
  const name = viewName();
  const isNew = shownAddress !== location.search;
  shownAddress = location.search;
  view = VIEWS[name]?.() ?? null;
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("data-view") === (name === "record" ? "records" : name);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = view?.title ?? "There is no such view";
  document.title = `${title} – vaultsigner console`;
  const heading = element("h1", { tabindex: "-1" }, title);
  replaceChildren(content, heading, view?.nodes ?? nothing("Choose one above."));
  if (isNew) heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  view?.refresh();
}

function enter() {
  replaceChildren(document.getElementById("console"), ...frame());
  watch();
  shownAddress = location.search;
  show();
  paused = false;
  live.start();
}

/** @param {string} why */
function leave(why) {
  view = null;
  live.stop("Logged out");
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  const form = logInForm(why, enter);
  document.title = "Log in – vaultsigner console";
  replaceChildren(document.getElementById("console"), element("main", { id: "content", tabindex: "-1" }, form, theme));
  form.querySelector("input").focus();
}

/* A browser opens six connections to a host: a page that is out of sight must not hold one. */
function inSight() {
  if (currentToken() === null || paused) return;
  if (document.hidden) {
    live.stop("Waiting until this tab is looked at");
  } else {
    live.start();
    view?.refresh();
  }
}

document.addEventListener("visibilitychange", inSight);
addEventListener("pagehide", () => live.stop("Left"));
// What browsers keep of a page that was left may be older than a log-out.
addEventListener("pageshow", (event) => event.persisted && location.reload());
onEnd(leave);
onMove(show);
listenToKeys({ f: () => view?.refresh(), p: () => currentToken() !== null && pause() });
if (currentToken() === null) leave("");
else enter();
