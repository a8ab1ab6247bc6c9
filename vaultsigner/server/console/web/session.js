/**
 * Who is logged in. The token is in this tab alone: no cookie, so no other site can make a request in its name.
 */

const KEY = "vaultsigner.token";

/** @type {string | null} */
let token = sessionStorage.getItem(KEY);
/** @type {Set<(why: string) => void>} */
const listeners = new Set();
let timer = 0;

/** @returns {string | null} */
export function currentToken() {
  if (token !== null && secondsLeft() <= 0) end("Your log-in has expired. Log in again to go on.");
  return token;
}

/** @param {string} fresh */
export function begin(fresh) {
  token = fresh;
  sessionStorage.setItem(KEY, fresh);
  watch();
}

/**
 * Forget the token, and say why.
 * @param {string} why
 */
export function end(why) {
  if (token === null) return;
  token = null;
  sessionStorage.removeItem(KEY);
  clearTimeout(timer);
  for (const listener of listeners) listener(why);
}

/** @param {(why: string) => void} listener is told when a session ends */
export function onEnd(listener) {
  listeners.add(listener);
}

/** End the session when its token does; timers cannot be longer than 24 days. */
export function watch() {
  clearTimeout(timer);
  if (token === null) return;
  timer = setTimeout(() => (currentToken() === null ? undefined : watch()), Math.min(secondsLeft(), 86400) * 1000 + 1000);
}

/** The name in the token: for showing only, the server alone judges it. */
export function username() {
  return String(claims().username ?? "");
}

/** When the token ends. */
export function expiry() {
  const { exp } = claims();
  return typeof exp === "number" ? new Date(exp * 1000).toISOString() : null;
}

function secondsLeft() {
  const { exp } = claims();
  return typeof exp === "number" ? exp - Date.now() / 1000 : 1;
}

/** @returns {Record<string, unknown>} */
function claims() {
  try {
    const part = (token ?? "").split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}
