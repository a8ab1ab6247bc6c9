/**
 * A question that must be answered before something is changed: a modal dialog, which the browser keeps the keyboard in.
 */
import { ApiError } from "./api.js";
import { button, element } from "./dom.js";

/**
 * @param {object} question
 * @param {string} question.title
 * @param {import("./dom.js").Child} question.body what is about to happen, and the fields
 * @param {string} question.confirm the word on the button that does it
 * @param {boolean} [question.harmful]
 * @param {(data: FormData) => Promise<unknown>} question.act is told what was filled in; an error stays in the dialog
 */
export function ask({ title, body, confirm, harmful = false, act }) {
  const trouble = element("p", { class: "trouble", role: "alert" });
  const go = element("button", { type: "submit", class: harmful ? "harmful" : "main" }, confirm);
  const dialog = element(
    "dialog",
    { "aria-labelledby": "dialog-title", on: { close: () => dialog.remove() } },
    element(
      "form",
      { on: { submit } },
      element("h2", { id: "dialog-title" }, title),
      body,
      trouble,
      element("div", { class: "row" }, go, button("Cancel", () => dialog.close())),
    ),
  );

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      await act(new FormData(/** @type {HTMLFormElement} */ (event.target)));
      dialog.close();
    } catch (error) {
      trouble.replaceChildren(wordsOf(error));
      go.disabled = false;
    }
  }

  document.body.append(dialog);
  dialog.showModal();
}

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof ApiError)) return "This page has failed; load it again.";
  if (error.code === "no_permission") return `403: ${error.message}.`;
  return error.message;
}
