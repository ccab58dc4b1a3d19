// Arrow keys within a group of buttons: one of them is reached by Tab, the others by arrows, Home and End.

/** Lets arrow keys go through the buttons of a container, in the order of the list. Called again when the buttons are others. */
export function roving(container, buttons) {
  container.rovingButtons = buttons;
  buttons.forEach((button, i) => (button.tabIndex = i === 0 ? 0 : -1));
  if (container.rovingListens) return;
  container.rovingListens = true;
  container.addEventListener("focusin", (event) => {
    const list = container.rovingButtons;
    if (list.includes(event.target)) for (const button of list) button.tabIndex = button === event.target ? 0 : -1;
  });
  container.addEventListener("keydown", (event) => {
    const list = container.rovingButtons;
    const at = list.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    list[(to + list.length) % list.length].focus();
  });
}

/**
 * Lets a button be pointed at: by mouse, by the keyboard's focus, by touch. point(true) and point(false) say that it begins and ends, pin() that it is to stay.
 * Touch has no pointing without pressing, so there only pin() is called.
 */
export function pointable(button, point, pin) {
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && point(true));
  button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(false));
  button.addEventListener("focus", () => button.matches(":focus-visible") && point(true));
  button.addEventListener("blur", () => point(false));
  button.addEventListener("click", pin);
}
