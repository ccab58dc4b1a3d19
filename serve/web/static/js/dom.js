// Elements, made and filled.

/**
 * An element. Attributes that begin with "on" are listeners, true is an attribute without a value; false, null and undefined leave one out.
 * Children are elements or texts; null and false are left out. Text stays text: nothing is parsed as HTML.
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element of that id. */
export const byId = (id) => document.getElementById(id);

/** Number is a custom property of the element's style: what CSS cannot know. */
export const setNumber = (element, name, value) => element.style.setProperty(name, String(value));

/** Whether movement is unwelcome. */
export const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
