/**
 * The log-in form.
 */
import { ApiError, post } from "./api.js";
import { element, labelled } from "./dom.js";
import { begin } from "./session.js";

/**
 * @param {string} why it is shown
 * @param {() => void} entered
 */
export function logInForm(why, entered) {
  const username = element("input", { id: "username", name: "username", autocomplete: "username", required: true, spellcheck: "false", autocapitalize: "none" });
  const password = element("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
  const said = element("p", { class: "trouble", role: "alert" });
  const pressed = element("button", { type: "submit", class: "main" }, "Log in");

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    said.replaceChildren();
    pressed.disabled = true;
    try {
      const answer = await post("/api/auth/login", { username: username.value, password: password.value });
      password.value = "";
      begin(answer.access_token);
      entered();
    } catch (error) {
      said.replaceChildren(wordsFor(error));
      password.select();
    }
    pressed.disabled = false;
  }

  return element(
    "form",
    { class: "log-in card", on: { submit } },
    element("h1", { tabindex: "-1" }, "Log in"),
    why && element("p", { class: "notice" }, why),
    element("p", { class: "hint" }, "For users with the role auditor or operator. The log-in holds for this tab, until you log out or close it."),
    labelled("User", username),
    labelled("Password", password),
    said,
    pressed,
  );
}

/** @param {unknown} error */
function wordsFor(error) {
  if (!(error instanceof ApiError)) return "This page has failed; load it again.";
  if (error.code === "bad_credentials") return "The user name or the password is wrong.";
  if (error.code === "suspended") return "This user is suspended, or everything is: operators alone get in meanwhile.";
  return error.message;
}
