// Elements and text. Every text goes into a text node, so markup in names, notes and errors stays what it is: text.

const svg_space = 'http://www.w3.org/2000/svg';
const refused = /^(on|style$|srcdoc$)/i;

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

function give(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === 'on') for (const [event, heard] of Object.entries(value)) node.addEventListener(event, heard);
    else if (name === 'value') node.value = value;
    else setAttribute(node, name, value);
  }
  return node;
}

/** Makes an element: `h('p', {class: 'quiet', on: {click}}, 'text', node)`. */
export function h(tag, props = {}, ...children) {
  return append(give(document.createElement(tag), props), children);
}

/** The same for SVG. */
export function s(tag, props = {}, ...children) {
  return append(give(document.createElementNS(svg_space, tag), props), children);
}

/** Sets an attribute; false and null take it away, true sets it empty. Writes only what changes. */
export function setAttribute(node, name, value) {
  if (refused.test(name)) throw new Error(`attribute ${name} is not set here`);
  if (value === false || value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/** Sets an element's text, and touches nothing when it is that already. */
export function setText(node, text) {
  const wanted = text === null || text === undefined ? '' : String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** Renders again only when `signature` is another than the last time, so what has not changed keeps focus and selection. */
export function renderOnce(node, signature, make) {
  const wanted = JSON.stringify(signature);
  if (node.rendered === wanted) return;
  node.rendered = wanted;
  replace(node, make());
}

/** Makes the children of `parent` those of `items`, each made once for its key and updated in place. `make` gives {node, update}. */
export function keyed(parent, items, key, make) {
  const parts = parent.parts ?? (parent.parts = new Map());
  const left = new Set(parts.keys());
  let place = parent.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    let part = parts.get(k);
    if (!part) {
      part = make(item);
      parts.set(k, part);
    }
    left.delete(k);
    part.update?.(item);
    if (part.node === place) place = place.nextElementSibling;
    else parent.insertBefore(part.node, place);
  }
  for (const k of left) {
    parts.get(k).node.remove();
    parts.delete(k);
  }
}
