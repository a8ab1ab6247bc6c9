/**
 * Saving what the page holds as a file.
 */
import { element } from "./dom.js";

/**
 * @param {string} name of the file
 * @param {Blob} body
 */
export function save(name, body) {
  const address = URL.createObjectURL(body);
  const link = element("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
