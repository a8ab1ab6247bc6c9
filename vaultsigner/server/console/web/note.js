/**
 * Signed notes with checkpoints in them (C2SP signed-note, tlog-checkpoint), read and checked by this browser.
 */

const ED25519 = 1;

/**
 * @typedef {object} Checkpoint
 * @property {string} text what is signed
 * @property {string} origin
 * @property {number} size
 * @property {Uint8Array<ArrayBuffer>} root
 * @property {{name: string, id: string, signature: Uint8Array<ArrayBuffer>}[]} signatures
 */

/**
 * @param {string} note
 * @returns {Checkpoint}
 * @throws {Error} it is none
 */
export function readNote(note) {
  const split = note.indexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new Error("the checkpoint is no signed note");
  const text = note.slice(0, split + 1);
  const [origin, size, root] = text.split("\n");
  if (!/^[1-9][0-9]{0,15}$/.test(size ?? "")) throw new Error("the checkpoint has no size");
  const hash = fromBase64(root ?? "");
  if (hash.length !== 32) throw new Error("the checkpoint has no root of 32 bytes");
  const signatures = note
    .slice(split + 2)
    .split("\n")
    .filter((line) => line !== "")
    .map(readSignature);
  return { text, origin, size: Number(size), root: hash, signatures };
}

/** @param {string} line */
function readSignature(line) {
  const match = /^\u2014 (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
  if (match === null) throw new Error("a line behind the checkpoint is no signature");
  const bytes = fromBase64(match[2]);
  return { name: match[1], id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

/**
 * Whether one of the keys made one of the signatures.
 * @param {Checkpoint} checkpoint
 * @param {string[]} keys verifier keys: name+id+base64
 * @returns {Promise<string | null>} the key that did
 */
export async function signedBy(checkpoint, keys) {
  for (const key of keys) {
    const [name, id, ...rest] = key.split("+");
    const bytes = fromBase64(rest.join("+"));
    if (bytes[0] !== ED25519 || bytes.length !== 33 || (await keyId(name, bytes)) !== id) continue;
    const imported = await crypto.subtle.importKey("raw", bytes.slice(1), "Ed25519", false, ["verify"]);
    for (const each of checkpoint.signatures) {
      if (each.name !== name || each.id !== id) continue;
      const text = new TextEncoder().encode(checkpoint.text);
      if (await crypto.subtle.verify("Ed25519", imported, each.signature, text)) return key;
    }
  }
  return null;
}

/**
 * @param {string} name
 * @param {Uint8Array} bytes
 */
async function keyId(name, bytes) {
  const named = new Uint8Array([...new TextEncoder().encode(name), 10, ...bytes]);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", named)).slice(0, 4));
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
