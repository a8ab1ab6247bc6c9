/**
 * What waits for others to agree, and the votes of whoever reads this.
 */
import { get, post } from "./api.js";
import { ask } from "./dialog.js";
import { button, element, labelled } from "./dom.js";
import { nothing, region } from "./region.js";
import { count, moment, plain, shown } from "./shown.js";

/** @returns {import("./views.js").View} */
export function approvals() {
  const results = region(() => load(results.refresh), "Fetching what waits …");
  return {
    title: "Approvals",
    nodes: [
      element("p", { class: "lead" }, "What waits for somebody to agree; what expires first, first. Who may decide is named by the rule that asks for it."),
      results.node,
    ],
    refresh: results.refresh,
    concerns: (record) => record.code === "approval_required" || record.event === "approval",
  };
}

/** @param {() => Promise<void>} refresh */
async function load(refresh) {
  const { approvals: found } = await get("/api/approvals");
  if (found.length === 0) {
    return nothing(
      "Nothing waits for approval. What is over is in the records, under the code approval_required.",
    );
  }
  return element("ul", { class: "cards" }, found.map((/** @type {any} */ each) => card(each, refresh)));
}

/**
 * @param {any} approval
 * @param {() => Promise<void>} refresh
 */
function card(approval, refresh) {
  const { request } = approval;
  const name = `${request.operation} on ${request.target} for ${approval.requested_by}`;
  const decide = (/** @type {"approve" | "reject"} */ word) => question(approval, word, refresh);
  const buttons = [
    approval.may_approve && button("Approve …", () => decide("approve"), { class: "main", "aria-label": `Approve ${plain(name)}` }),
    approval.may_reject && button("Reject …", () => decide("reject"), { class: "harmful", "aria-label": `Reject ${plain(name)}` }),
  ].filter(Boolean);
  return element(
    "li",
    { class: "card", "data-row": approval.id, "data-approval": approval.id },
    element("h2", {}, shown(request.operation), " on ", shown(request.target)),
    contents(approval),
    buttons.length > 0 ? element("div", { class: "row" }, buttons) : element("p", { class: "hint" }, "You have no vote on this, or have given it."),
  );
}

/** @param {any} approval */
function contents(approval) {
  const { request } = approval;
  const rows = [
    ["Asked by", [shown(approval.requested_by), " from ", shown(request.ip)]],
    ["Asked at", moment(request.asked_at)],
    ["Expires", moment(approval.expires_at)],
    ["Status", [element("span", { class: `result ${approval.status === "granted" ? "good" : "waiting"}` }, shown(approval.status)), `: ${count(approval.given)} of ${count(approval.needed)} have approved`]],
    ["Rule", shown(approval.rule)],
    ["May decide", approval.of.flatMap((/** @type {string} */ each, /** @type {number} */ index) => [index > 0 && ", ", shown(each)])],
    ["Memo", shown(request.memo, "none")],
    ["Votes", approval.votes.length === 0 ? "none yet" : element("ul", {}, approval.votes.map(vote))],
  ];
  return [
    element("ol", { class: "items", "aria-label": "What is asked for" }, request.items.map(item)),
    element("dl", { class: "facts" }, rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
  ];
}

/** @param {any} each */
function vote(each) {
  return element("li", {}, shown(each.by), each.approve ? " approved, " : " rejected, ", moment(each.at));
}

/** @param {Record<string, unknown>} fields */
function item(fields) {
  return element("li", {}, Object.entries(fields).flatMap(([name, value], index) => [index > 0 && ", ", shown(name), " ", element("strong", {}, shown(value))]));
}

/**
 * @param {any} approval
 * @param {"approve" | "reject"} word
 * @param {() => Promise<void>} refresh
 */
function question(approval, word, refresh) {
  const approve = word === "approve";
  const comment = element("textarea", { id: "vote-comment", name: "comment", rows: "2", maxlength: "500", autocomplete: "off" });
  ask({
    title: approve ? "Approve this request?" : "Reject this request?",
    confirm: approve ? "Approve" : "Reject",
    harmful: !approve,
    body: [
      element("p", {}, approve ? "Once enough have approved, it may be sent, once." : "One no ends it, whoever else has approved."),
      element("ol", { class: "items" }, approval.request.items.map(item)),
      element("p", {}, "Asked by ", shown(approval.requested_by), " on ", shown(approval.request.target), "; memo: ", shown(approval.request.memo, "none")),
      labelled("Comment, for the record", comment, "One line, up to 500 characters; may be left empty."),
    ],
    act: async (data) => {
      const words = String(data.get("comment") ?? "").trim().replaceAll(/\s*\n\s*/g, " ");
      await post(`/api/approvals/${encodeURIComponent(approval.id)}/${word}`, words === "" ? {} : { comment: words });
      await refresh();
    },
  });
}
