/**
 * Checks that a record is in the tree of a signed checkpoint, in this browser (RFC 6962, sections 2.1 and 2.1.1).
 */
import { hex, readNote, signedBy } from "./note.js";

/** @typedef {{name: string, good: boolean | null, words: string}} Step `good` is null where this browser cannot tell */

/**
 * @param {any} answer of /api/audit/records/{chain}/{seq}
 * @returns {Promise<Step[]>}
 */
export async function verify(answer) {
  if (globalThis.crypto?.subtle === undefined) {
    const words = "Browsers hash and check signatures on pages from https:// or localhost only. Open the console there.";
    return [{ name: "This browser", good: null, words }];
  }
  const { proof } = answer;
  const steps = [await ownHash(answer.line, proof), await inclusion(answer.line, proof)];
  try {
    const checkpoint = readNote(answer.checkpoint);
    steps.push(sameTree(checkpoint, proof), await signature(checkpoint, answer.keys));
  } catch (error) {
    steps.push({ name: "Checkpoint", good: false, words: `It cannot be read: ${error instanceof Error ? error.message : error}.` });
  }
  return steps;
}

/**
 * @param {string} line
 * @param {any} proof
 * @returns {Promise<Step>}
 */
async function ownHash(line, proof) {
  const name = "Record";
  const match = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/.exec(line);
  if (match === null) return { name, good: false, words: "The line does not end with its hash: it is no record." };
  if (hex(await sha256(new TextEncoder().encode(`${match[1]}}`))) !== match[2]) {
    return { name, good: false, words: "The line does not fit the hash in it: it was altered." };
  }
  const record = JSON.parse(line);
  if (record.chain !== proof.chain || record.seq !== proof.seq || line !== proof.record) {
    return { name, good: false, words: "The proof is for another record." };
  }
  return { name, good: true, words: `The line fits the hash in it, and is record ${record.seq} of chain ${record.chain}.` };
}

/**
 * @param {string} line
 * @param {any} proof
 * @returns {Promise<Step>}
 */
async function inclusion(line, proof) {
  const name = "Path";
  const root = await rootFrom(line, proof.seq - 1, proof.tree_size, proof.path.map(fromHex));
  if (root === null || hex(root) !== proof.root) {
    return { name, good: false, words: "The record and its path do not lead to the root: it is not the one that was recorded." };
  }
  return { name, good: true, words: `The record and ${proof.path.length} hashes lead to the root of ${proof.tree_size} records.` };
}

/**
 * RFC 9162, section 2.1.3.2.
 * @param {string} line
 * @param {number} index
 * @param {number} size
 * @param {Uint8Array[]} path
 * @returns {Promise<Uint8Array | null>}
 */
export async function rootFrom(line, index, size, path) {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return null;
  let [first, last] = [BigInt(index), BigInt(size - 1)];
  let hash = await sha256(new Uint8Array([0, ...new TextEncoder().encode(line)]));
  for (const step of path) {
    if (last === 0n) return null;
    if (first & 1n || first === last) {
      hash = await sha256(new Uint8Array([1, ...step, ...hash]));
      while (!(first & 1n) && first !== 0n) [first, last] = [first >> 1n, last >> 1n];
    } else {
      hash = await sha256(new Uint8Array([1, ...hash, ...step]));
    }
    [first, last] = [first >> 1n, last >> 1n];
  }
  return last === 0n ? hash : null;
}

/**
 * @param {import("./note.js").Checkpoint} checkpoint
 * @param {any} proof
 * @returns {Step}
 */
function sameTree(checkpoint, proof) {
  const name = "Checkpoint";
  if (checkpoint.origin !== `vaultsigner/audit/${proof.chain}` || checkpoint.size !== proof.tree_size || hex(checkpoint.root) !== proof.root) {
    return { name, good: false, words: "The checkpoint is for another tree than the proof." };
  }
  return { name, good: true, words: `It states this root for the first ${checkpoint.size} records of this chain.` };
}

/**
 * @param {import("./note.js").Checkpoint} checkpoint
 * @param {string[]} keys
 * @returns {Promise<Step>}
 */
async function signature(checkpoint, keys) {
  const name = "Signature";
  if (keys.length === 0) {
    return { name, good: null, words: "The service names no key that signs checkpoints: check it with the trust file that you keep." };
  }
  let key;
  try {
    key = await signedBy(checkpoint, keys);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotSupportedError") throw error;
    return { name, good: null, words: "This browser has no Ed25519: check it with the command below." };
  }
  if (key === null) return { name, good: false, words: "None of the keys that the service names has signed this checkpoint." };
  return { name, good: true, words: `The checkpoint was signed with ${key}.` };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** @param {string} text */
function fromHex(text) {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error("the path holds something that is no hash");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
