/**
 * A part of the page that is filled from the service: loading, empty and broken say what to do.
 */
import { ApiError } from "./api.js";
import { button, element, replaceChildren } from "./dom.js";

/**
 * @param {() => Promise<import("./dom.js").Child>} load makes what is to be seen
 * @param {string} loading what to say meanwhile
 */
export function region(load, loading) {
  const node = element("div", { class: "region", "aria-busy": "true" }, element("p", { class: "notice" }, loading));
  let round = 0;
  const refresh = async () => {
    const mine = ++round;
    node.setAttribute("aria-busy", "true");
    let found;
    try {
      found = await load();
    } catch (error) {
      found = trouble(error, refresh);
    }
    if (mine !== round) return;
    replaceChildren(node, found);
    node.setAttribute("aria-busy", "false");
  };
  return { node, refresh };
}

/**
 * Nothing there, and why that may be.
 * @param {...import("./dom.js").Child} words
 */
export function nothing(...words) {
  return element("p", { class: "notice nothing" }, words);
}

/**
 * @param {unknown} error
 * @param {() => unknown} again
 */
export function trouble(error, again) {
  if (!(error instanceof ApiError)) console.error(error);
  const [title, advice] = wordsFor(error);
  return element(
    "div",
    { class: "notice trouble", role: "alert" },
    element("h2", {}, title),
    element("p", {}, advice),
    button("Try again", again),
  );
}

/**
 * @param {unknown} error
 * @returns {[string, string]}
 */
export function wordsFor(error) {
  if (!(error instanceof ApiError)) return ["This page has failed.", "Load it again. If it fails once more, tell whoever runs the service."];
  if (error.status === 403 && error.code === "no_permission") {
    return [
      "403: your user may not see this.",
      `${error.message}. The console is for users with the role auditor or operator: whoever runs the service ` +
        "adds `roles: [auditor]` to your user in config.yml and restarts it; then log in again.",
    ];
  }
  if (error.status === 0) return ["No answer.", error.message];
  if (error.status === 503) return ["The service cannot answer now.", error.message];
  if (error.status === 422 || error.status === 400) return ["The service does not understand the filters.", error.message];
  return [`The service refused: ${error.status}.`, error.message];
}
