/**
 * What is stopped, and stopping and resuming it, for operators.
 */
import { get, post, remove } from "./api.js";
import { ask } from "./dialog.js";
import { button, element, labelled } from "./dom.js";
import { nothing, region } from "./region.js";
import { count, moment, plain, shown } from "./shown.js";
import { table } from "./table.js";

const KINDS = ["wallet", "client", "user", "exchange", "all"];

/** @returns {import("./views.js").View} */
export function suspensions() {
  const results = region(() => load(results.refresh), "Fetching what is suspended …");
  return {
    title: "Suspensions",
    nodes: [
      element("p", { class: "lead" }, "Whoever and whatever is suspended is refused within a second on every server. Operators alone suspend and resume."),
      element("div", { class: "row" }, button("Suspend …", () => suspend(results.refresh), { class: "harmful", id: "suspend" })),
      results.node,
    ],
    refresh: results.refresh,
    concerns: (record) => record.event === "suspend" || record.event === "resume",
  };
}

/** @param {() => Promise<void>} refresh */
async function load(refresh) {
  const { suspensions: found } = await get("/api/suspensions");
  if (found.length === 0) return nothing("Nothing is suspended.");
  return table(
    `${count(found.length)} suspended`,
    [
      { title: "What", heading: true, cell: (row) => shown(nameOf(row)), order: (row) => plain(nameOf(row)) },
      { title: "Why", cell: (row) => shown(row.reason), order: (row) => plain(row.reason) },
      { title: "By", cell: (row) => shown(row.by), order: (row) => plain(row.by) },
      { title: "Since", cell: (row) => moment(row.since), order: (row) => row.since },
      {
        title: "End it",
        cell: (row) => button("Resume …", () => resume(row, refresh), { "aria-label": `Resume ${plain(nameOf(row))}` }),
      },
    ],
    found,
    { key: nameOf },
  );
}

/** @param {any} row */
function nameOf(row) {
  return row.kind === "all" ? "everything" : `${row.kind}:${row.name}`;
}

/** @param {() => Promise<void>} refresh */
function suspend(refresh) {
  const name = element("input", { id: "suspend-name", name: "name", autocomplete: "off", spellcheck: "false", required: true });
  const nameField = labelled("Name", name, "As config.yml has it.");
  const kind = element(
    "select",
    {
      id: "suspend-kind",
      name: "kind",
      on: {
        change: () => {
          nameField.hidden = kind.value === "all";
          name.required = kind.value !== "all";
        },
      },
    },
    KINDS.map((each) => element("option", { value: each }, each === "all" ? "everything" : each)),
  );
  const reason = element("input", { id: "suspend-reason", name: "reason", maxlength: "500", autocomplete: "off", required: true });
  ask({
    title: "Suspend",
    confirm: "Suspend",
    harmful: true,
    body: [labelled("What", kind), nameField, labelled("Why", reason, "For the record; operators and auditors alone are told.")],
    act: async (data) => {
      const body = { kind: String(data.get("kind")), reason: String(data.get("reason")).trim() };
      await post("/api/suspensions", body.kind === "all" ? body : { ...body, name: String(data.get("name")).trim() });
      await refresh();
    },
  });
}

/**
 * @param {any} row
 * @param {() => Promise<void>} refresh
 */
function resume(row, refresh) {
  ask({
    title: "Resume?",
    confirm: "Resume",
    body: element("p", {}, shown(nameOf(row)), " may sign again at once. It was suspended by ", shown(row.by), ": ", shown(row.reason)),
    act: async () => {
      const path = row.kind === "all" ? "all" : `${encodeURIComponent(row.kind)}/${encodeURIComponent(row.name)}`;
      await remove(`/api/suspensions/${path}`);
      await refresh();
    },
  });
}
