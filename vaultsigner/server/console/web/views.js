/**
 * Which views there are.
 */
import { approvals } from "./approvals.js";
import { chains } from "./chains.js";
import { limits } from "./limits.js";
import { overview } from "./overview.js";
import { record } from "./record.js";
import { records } from "./records.js";
import { suspensions } from "./suspensions.js";

/**
 * @typedef {object} View
 * @property {string} title
 * @property {import("./dom.js").Child[]} nodes below its heading
 * @property {() => Promise<void>} refresh fetches what it shows
 * @property {(record: any) => boolean} concerns whether a new record changes what it shows
 */

/** @type {Record<string, () => View>} */
export const VIEWS = { overview, records, record, approvals, suspensions, limits, chains };

/** What the navigation has: view, word, key. */
export const NAVIGATION = [
  ["overview", "Overview", "o"],
  ["records", "Records", "r"],
  ["approvals", "Approvals", "a"],
  ["suspensions", "Suspensions", "s"],
  ["limits", "Limits", "l"],
  ["chains", "Chains", "c"],
];
