// The question's words, shaded.
import { h, setNumber } from "./dom.js";
import { percent, text } from "./language.js";
import { pieces } from "./relevance.js";
import { pointable, roving } from "./roving.js";

/** Whether a token goes on with the word of the token before it. */
const goesOn = (token) => token?.text.startsWith("##") && !token.special;

export class Words {
  /** point(index, begins) and pin(index) hear of tokens. */
  constructor({ point, pin }) {
    this.point = point;
    this.pin = pin;
    this.element = h("p", { class: "words", lang: "en", role: "group" });
    this.buttons = new Map(); // by token
  }

  /** Shows a question. Without tokens it is plain text: nothing is known yet of what its words are. */
  show(question, tokens, withSpecial) {
    this.tokens = tokens;
    this.buttons.clear();
    this.element.setAttribute("aria-label", text("askedLabel"));
    if (!tokens) {
      this.element.replaceChildren(question);
      return;
    }
    this.element.replaceChildren(
      ...pieces(question, tokens, withSpecial).map((piece) => {
        if (piece.index === null) return piece.text;
        const kind = [
          "word",
          piece.special && "special",
          goesOn(tokens[piece.index]) && "after",
          goesOn(tokens[piece.index + 1]) && "before",
        ]
          .filter(Boolean)
          .join(" ");
        const button = h("button", { type: "button", class: kind, "aria-pressed": "false" }, piece.text);
        pointable(
          button,
          (begins) => this.point(piece.index, begins),
          () => this.pin(piece.index),
        );
        this.buttons.set(piece.index, button);
        return button;
      }),
    );
    roving(this.element, [...this.buttons.values()]);
  }

  /** Shades the words, null for no shades; index is the token that is pointed at or null; kept says that it stays. */
  shade(shades, index, kept = false) {
    for (const [i, button] of this.buttons) {
      const shade = shades?.[i] ?? 0;
      setNumber(button, "--shade", shade);
      button.classList.toggle("here", i === index);
      button.setAttribute("aria-pressed", String(kept && i === index));
      button.setAttribute(
        "aria-label",
        shades ? text("regionShade", { label: button.textContent, shade: percent(shade) }) : button.textContent,
      );
    }
  }
}
