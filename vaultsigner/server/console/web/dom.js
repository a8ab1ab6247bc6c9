/**
 * Building the page. Nothing here takes markup: what a record holds can only become text.
 */

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */

/**
 * Make an element.
 * @param {string} tag its name
 * @param {Record<string, unknown>} [attributes] `on` holds event handlers by their names; false and null leave an attribute out
 * @param {...Child} children nodes and texts
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...nodes(children));
  return made;
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Put new children in place of the old; whoever stood on one with the keyboard stands on its successor afterwards, what was
 * unfolded stays so, and tables stay in the order that was chosen.
 * @param {Element} parent
 * @param {...Child} children
 */
export function replaceChildren(parent, ...children) {
  const active = document.activeElement;
  const held = active && active !== parent && parent.contains(active) ? markOf(active) : null;
  const open = new Set([...parent.querySelectorAll("details[open] > summary")].map(markOf));
  const orders = [...parent.querySelectorAll("th[aria-sort]")].map(orderBy);
  parent.replaceChildren(...nodes(children));
  for (const order of orders) sortAgain(parent, order);
  for (const summary of parent.querySelectorAll("details > summary")) {
    if (open.has(markOf(summary))) summary.parentElement.open = true;
  }
  if (held === null) return;
  const successor = [...parent.querySelectorAll(active.tagName)].find((each) => markOf(each) === held);
  if (successor instanceof HTMLElement) successor.focus({ preventScroll: true });
}

/**
 * What a table is sorted by. Its headings tell it from others.
 * @param {any} heading
 */
function orderBy(heading) {
  return { headings: heading.parentElement.textContent, index: heading.cellIndex, order: heading.getAttribute("aria-sort") };
}

/**
 * @param {Element} parent
 * @param {ReturnType<typeof orderBy>} chosen
 */
function sortAgain(parent, { headings, index, order }) {
  const row = [...parent.querySelectorAll("thead tr")].find((each) => each.textContent === headings);
  const heading = row?.children[index];
  for (let press = 0; press < 2 && heading && heading.getAttribute("aria-sort") !== order; press += 1) {
    heading.querySelector("button")?.click();
  }
}

/** @param {Element} node */
function markOf(node) {
  const place = node.closest("[data-row]")?.getAttribute("data-row") ?? "";
  return [node.tagName, node.id, node.getAttribute("href"), place, node.textContent].join("\n");
}

/**
 * A button that does something on this page.
 * @param {Child} label
 * @param {(event: Event) => unknown} act
 * @param {Record<string, unknown>} [attributes]
 */
export function button(label, act, attributes = {}) {
  return element("button", { type: "button", ...attributes, on: { click: act } }, label);
}

/**
 * A field with its label.
 * @param {string} label
 * @param {HTMLElement} field it has an id
 * @param {string} [hint]
 */
export function labelled(label, field, hint) {
  const id = `${field.id}-hint`;
  if (hint) field.setAttribute("aria-describedby", id);
  return element(
    "div",
    { class: "field" },
    element("label", { for: field.id }, label),
    field,
    hint && element("p", { class: "hint", id }, hint),
  );
}
