/**
 * One record in full, what else is on record of its request, and the proof that it is there.
 */
import { get } from "./api.js";
import { button, element } from "./dom.js";
import { save } from "./download.js";
import { addressOf, parameters } from "./place.js";
import { verify } from "./proof.js";
import { recordTable, result } from "./records.js";
import { region } from "./region.js";
import { count, moment, plain, principalOf, shown, spelled, targetOf } from "./shown.js";

/** What keys are read for, beside the one that a request is for. */
const USES = new Map([
  ["secret", "a client's secret"],
  ["public_key", "for an address"],
  ["ahead", "asked for ahead"],
]);

/** @returns {import("./views.js").View} */
export function record() {
  const given = parameters();
  const [chain, seq] = [given.get("chain") ?? "", given.get("seq") ?? ""];
  const results = region(() => load(chain, seq), "Fetching the record and its proof …");
  return {
    title: `Record ${plain(seq)} of chain ${plain(chain)}`,
    nodes: [element("p", {}, element("a", { href: addressOf("records") }, "All records")), results.node],
    refresh: results.refresh,
    // Until a checkpoint covers it, there is something to wait for.
    concerns: (each) => each.kind === "checkpoint" && results.node.querySelector("[data-proved]") === null,
  };
}

/**
 * @param {string} chain
 * @param {string} seq
 */
async function load(chain, seq) {
  const answer = await get(`/api/audit/records/${encodeURIComponent(chain)}/${encodeURIComponent(seq)}`);
  return [facts(answer.record, answer.related ?? []), await proofPart(answer), related(answer), whole(answer)];
}

/**
 * @param {any} found
 * @param {any[]} others of the same request: the decision stands in its intent
 */
function facts(found, others) {
  const rule = [found, ...others].map((each) => each.decision?.rule).find(Boolean);
  const rows = [
    ["Time", [moment(found.time), element("span", { class: "local" }, ` = ${new Date(found.time).toLocaleString()} here`)]],
    ["Kind", shown(found.kind)],
    ["Who", filterLink("principal", principalOf(found))],
    ["From", shown(found.ip ?? found.details?.ip)],
    ["Operation", filterLink("operation", found.operation ?? null)],
    ["On what", filterLink("target", targetOf(found))],
    ["Result", [result(found), found.status ? ` (HTTP ${found.status})` : ""]],
    ["Reason", shown(found.reason ?? found.decision?.reason ?? found.details?.reason)],
    ["Rule", filterLink("rule", rule ?? null)],
    ["Comment", found.details?.comment ? shown(found.details.comment) : null],
    ["Request", filterLink("request_id", found.request_id ?? found.details?.request_id ?? null)],
    ["Vault's request", found.vault_request_id ? shown(found.vault_request_id) : null],
    ["Other keys read", keysRead(found.vault_reads)],
  ];
  return element(
    "dl",
    { class: "facts" },
    rows.filter(([, value]) => value !== null).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

/** @param {any} reads */
function keysRead(reads) {
  if (!Array.isArray(reads) || reads.length === 0) return null;
  return element(
    "ul",
    {},
    reads.map((read) => {
      const what = USES.get(read?.use) ?? String(read?.use);
      return element("li", {}, shown(`${read?.path} (${what}), ${read?.request_id ? `Vault's request ${read.request_id}` : "the answer left unread"}`));
    }),
  );
}

/**
 * @param {string} name
 * @param {string | null} value
 */
function filterLink(name, value) {
  return value ? element("a", { href: addressOf("records", { since: "all", [name]: value }) }, shown(value)) : shown(value);
}

/** @param {any} answer */
async function proofPart(answer) {
  const heading = element("h2", { id: "proof" }, "Proof that it is in the record");
  if (!answer.proof || !answer.checkpoint) {
    return element("section", { "aria-labelledby": "proof" }, heading, element("p", { class: "notice" }, why(answer)));
  }
  const steps = await verify(answer).catch((error) => [{ name: "Proof", good: false, words: `It cannot be read: ${error.message}.` }]);
  const good = steps.every((step) => step.good === true);
  const bad = steps.some((step) => step.good === false);
  const verdict = bad
    ? "This proof does not hold. Keep it, and tell whoever answers for the record."
    : good
      ? "Verified by this browser: the record is in the tree that this checkpoint states."
      : "Not all of it can be checked by this browser.";
  return element(
    "section",
    { "aria-labelledby": "proof", "data-proved": good ? "yes" : bad ? "no" : "partly" },
    heading,
    element("p", { class: `verdict ${bad ? "bad" : good ? "good" : "waiting"}`, role: "status" }, verdict),
    element("ul", { class: "steps" }, steps.map(stepOf)),
    independent(answer),
  );
}

/** @param {any} answer */
function why(answer) {
  const words = typeof answer.why === "string" ? answer.why : "No checkpoint covers this record yet";
  return [shown(words), ". A checkpoint is signed every minute while something is recorded; this page waits for it."];
}

/** @param {import("./proof.js").Step} step */
function stepOf(step) {
  const [look, mark] = step.good === null ? ["waiting", "not checked"] : step.good ? ["good", "holds"] : ["bad", "does not hold"];
  return element("li", { class: look }, element("strong", {}, `${step.name} ${mark}. `), shown(step.words));
}

/** @param {any} answer */
function independent(answer) {
  const { proof } = answer;
  const file = `proof-${plain(proof.chain)}-${Number(proof.seq)}`;
  return element(
    "div",
    { class: "independent" },
    element(
      "p",
      {},
      "The page, the proof and the key came from the same service: if it were taken over, all three could lie together. It is no independent proof. ",
      "For one, save both files and check them elsewhere, with the trust file that you keep, or against a checkpoint from an anchor:",
    ),
    element("pre", { tabindex: "0", "aria-label": "The command that checks it" }, `vaultsigner audit check-proof ${file}.json --checkpoint ${file}.checkpoint --trust audit-keys.txt`),
    element(
      "div",
      { class: "row" },
      button("Save the proof", () => save(`${file}.json`, new Blob([`${JSON.stringify(proof, null, 1)}\n`], { type: "application/json" }))),
      button("Save the checkpoint", () => save(`${file}.checkpoint`, new Blob([answer.checkpoint], { type: "text/plain" }))),
    ),
    element("details", {}, element("summary", {}, "The checkpoint as it was signed"), code(answer.checkpoint, "The checkpoint", "\n")),
  );
}

/** @param {any} answer */
function related(answer) {
  const rows = answer.related ?? [];
  if (rows.length < 2) return null;
  return element("section", {}, recordTable(`The request's ${count(rows.length)} records`, rows));
}

/** @param {any} answer */
function whole(answer) {
  return element(
    "section",
    { "aria-labelledby": "whole" },
    element("h2", { id: "whole" }, "The record in full"),
    code(JSON.stringify(answer.record, null, 2), "The record", "\n"),
    element("details", {}, element("summary", {}, "The line as it is on disk"), code(answer.line, "The line", "")),
  );
}

/**
 * @param {string} text
 * @param {string} label
 * @param {string} kept
 */
function code(text, label, kept) {
  return element("pre", { tabindex: "0", "aria-label": label }, spelled(text, kept));
}
