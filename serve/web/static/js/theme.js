// Light and dark: the system's, until a person chooses.
import { local } from "./storage.js";
import { text } from "./language.js";

const system = matchMedia("(prefers-color-scheme: dark)");

const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** Lets a button switch. */
export function themeButton(button) {
  const say = () => {
    button.setAttribute("aria-label", text(dark() ? "toLight" : "toDark"));
    button.title = text(dark() ? "toLight" : "toDark");
  };
  button.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    local.set("theme", theme);
    say();
  });
  system.addEventListener("change", say);
  document.addEventListener("lxmert:language", say);
  say();
}
