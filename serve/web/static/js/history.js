// What was asked before, the latest first.
import { h } from "./dom.js";
import { percent, text } from "./language.js";
import { answerName, answerSure } from "./answer.js";

/** How many questions are kept. Their pictures are in memory. */
const most = 50;

export class History {
  /** again(picture, question) is called when one is chosen. inUse(picture) says whether a picture is still needed elsewhere. */
  constructor(container, { again, inUse }) {
    this.container = container;
    this.again = again;
    this.inUse = inUse;
    this.entries = [];
  }

  /** Adds a question with its best answer; one that was asked before moves to the top. */
  add(picture, question, best) {
    this.entries = this.entries.filter((entry) => entry.picture !== picture || entry.question !== question);
    this.entries.unshift({ picture, question, best });
    this.#drop(this.entries.splice(most));
    this.show();
  }

  #drop(gone) {
    for (const { picture } of gone) if (!this.inUse(picture) && !this.entries.some((entry) => entry.picture === picture)) picture.forget();
  }

  show() {
    this.container.hidden = this.entries.length === 0;
    this.container.replaceChildren(
      h(
        "div",
        { class: "row" },
        h("h2", { id: "history-title" }, text("history")),
        h("button", { type: "button", class: "quiet", onclick: () => this.#clear() }, text("historyClear")),
      ),
      h(
        "ol",
        { "aria-labelledby": "history-title" },
        this.entries.map(({ picture, question, best }) =>
          h(
            "li",
            {},
            h(
              "button",
              {
                type: "button",
                class: "past",
                onclick: () => this.again(picture, question),
              },
              h("span", { class: "unseen" }, text("historyAgain"), " "),
              h("img", { src: picture.url, alt: "", class: "past-picture" }),
              h("span", { class: "past-question", lang: "en" }, question),
              h(
                "span",
                { class: "past-answer", lang: "en" },
                answerName(best),
                " ",
                h("span", { class: "past-sure" }, percent(answerSure(best))),
              ),
            ),
          ),
        ),
      ),
    );
  }

  #clear() {
    this.#drop(this.entries.splice(0));
    this.show();
    document.getElementById("question").focus();
  }
}
