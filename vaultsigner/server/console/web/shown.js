/**
 * How what is on record is shown: harmlessly, and so that nothing hides in it.
 */
import { element } from "./dom.js";

/* Controls, marks that turn the direction of text, characters without width, odd line ends, halves of pairs, tags. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;

/**
 * A text from outside, its unseen characters spelled out, its direction its own.
 * @param {unknown} value
 * @param {string} [otherwise] for what is not there
 * @returns {Node}
 */
export function shown(value, otherwise = "–") {
  if (value === null || value === undefined || value === "") {
    return element("span", { class: "absent" }, otherwise);
  }
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return element("bdi", {}, spelled(text).map((part) => (typeof part === "string" ? breakable(part) : part)));
}

/**
 * Long names may go on in a new line behind a dot and the like, and nowhere else as long as there is room.
 * @param {string} text
 */
function breakable(text) {
  return text.split(/(?<=[._:/])(?=\p{L})/u).flatMap((part, index) => (index === 0 ? [part] : [element("wbr"), part]));
}

/**
 * @param {string} text
 * @param {string} [kept] characters that may stay as they are
 * @returns {(Node | string)[]}
 */
export function spelled(text, kept = "") {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (kept.includes(match[0])) continue;
    parts.push(text.slice(end, match.index), character(match[0]));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** @param {string} found */
function character(found) {
  const code = `U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  return element("span", { class: "unseen", title: `the character ${code}, which would not be seen` }, code);
}

/**
 * The same as plain text, for where no element can stand.
 * @param {unknown} value
 */
export function plain(value) {
  return spelled(String(value ?? ""))
    .map((part) => (typeof part === "string" ? part : `[${part.textContent}]`))
    .join("");
}

/**
 * A moment in UTC; in the reader's own time zone when pointed at.
 * @param {string | null | undefined} iso
 */
export function moment(iso) {
  if (!iso) return element("span", { class: "absent" }, "never");
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return shown(iso);
  const utc = date.toISOString();
  const local = date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  return element(
    "time",
    { datetime: iso, title: `${local}, your time zone` },
    `${utc.slice(0, 10)} ${utc.slice(11, 19)}`,
    element("span", { class: "zone" }, " UTC"),
  );
}

/** @param {number | null | undefined} number */
export function count(number) {
  return (number ?? 0).toLocaleString("en");
}

/**
 * @param {number} number
 * @param {string} one the word for one of them
 */
export function counted(number, one) {
  return `${count(number)} ${one}${number === 1 ? "" : "s"}`;
}

/**
 * Who asked, as policies name them.
 * @param {any} record
 * @returns {string | null}
 */
export function principalOf(record) {
  const { principal } = record;
  return principal ? `${principal.type}:${principal.name}` : (record.details?.by ?? null);
}

/**
 * On what: a wallet, an exchange, an Open API application.
 * @param {any} record
 * @returns {string | null}
 */
export function targetOf(record) {
  if (record.wallet) return `wallet:${record.wallet}`;
  if (record.exchange) return `exchange:${record.exchange}`;
  if (record.open_api) return `open_api:${record.open_api}`;
  return null;
}

/**
 * What came of it, in a word, and how it is to look.
 * @param {any} record
 * @returns {{word: string, look: "good" | "bad" | "waiting" | "plain"}}
 */
export function resultOf(record) {
  if (record.kind === "control") return { word: record.event ?? "control", look: "plain" };
  if (record.kind === "checkpoint") return { word: "signed", look: "plain" };
  if (record.kind === "dispatch") {
    return { word: record.result ?? "sent", look: record.result === "accepted" ? "good" : "waiting" };
  }
  if (record.kind === "intent") {
    const denied = record.decision?.effect === "deny";
    return { word: denied ? "denied" : "allowed by policy", look: denied ? "bad" : "plain" };
  }
  if (record.code === "ok") return { word: "ok", look: "good" };
  return { word: record.code ?? "", look: record.code === "approval_required" ? "waiting" : "bad" };
}
