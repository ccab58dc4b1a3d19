// The page's language: English or Chinese.
import { local } from "./storage.js";
import { strings } from "./strings.js";

const languages = ["en", "zh"]; // in the order of each pair in strings.js
const tags = { en: "en", zh: "zh-Hans" };

let language = first();

function first() {
  const chosen = local.get("language");
  if (languages.includes(chosen)) return chosen;
  for (const wanted of navigator.languages ?? [navigator.language]) {
    const match = languages.find((l) => wanted.toLowerCase().split("-")[0] === l);
    if (match) return match;
  }
  return "en";
}

/** The string of that key in the page's language, with {name} replaced by values.name. */
export function text(key, values = {}) {
  const pair = strings[key];
  if (!pair) throw new Error(`strings.js: no string ${key}`);
  return pair[languages.indexOf(language)].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** Whether there is a string of that key. */
export const hasText = (key) => Object.hasOwn(strings, key);

/** A number as the language writes it. */
export const number = (value, options) => new Intl.NumberFormat(tags[language], options).format(value);

/** A share of one in per cent. What is nearly nothing or nearly all does not become 0 or 100. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.001) return "< " + number(0.001, { style: "percent", maximumFractionDigits: 1 });
  if (share < 1 && share > 0.999) return "> " + number(0.999, { style: "percent", minimumFractionDigits: 1 });
  return number(share, { style: "percent", maximumFractionDigits: share < 0.1 || share > 0.99 ? 1 : 0 });
}

/** A number of bytes, in the unit that suits. */
export function bytes(n) {
  if (n < 1 << 20) return number(Math.max(1, Math.round(n / 1024))) + " kB";
  return number(n / (1 << 20), { maximumFractionDigits: 1 }) + " MB";
}

/** Puts an element's and its children's strings in the page's language: data-text, data-label, data-placeholder. */
export function translate(root = document) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
  for (const element of root.querySelectorAll("[data-placeholder]")) element.setAttribute("placeholder", text(element.dataset.placeholder));
}

/** Lets a button switch between the two. Who has built something of strings hears lxmert:language from the document. */
export function languageButton(button) {
  const apply = () => {
    document.documentElement.lang = tags[language];
    const other = languages.find((l) => l !== language);
    button.textContent = strings.languageName[languages.indexOf(other)];
    button.lang = tags[other];
    translate();
    document.title = text(document.documentElement.dataset.title ?? "pageTitle");
    document.dispatchEvent(new CustomEvent("lxmert:language"));
  };
  button.addEventListener("click", () => {
    language = languages.find((l) => l !== language);
    local.set("language", language);
    apply();
  });
  apply();
}
