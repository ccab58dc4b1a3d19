// The answers to a question, as bars.
import { h, setNumber } from "./dom.js";
import { number, percent, text } from "./language.js";

/** What an answer is called. */
export const answerName = (answer) => answer.answer || text("emptyAnswer");

/** How much an answer is to be believed: its confidence, or where the server gives none its probability. */
export const answerSure = (answer) => answer.confidence ?? answer.probability;

/**
 * The best answer, large, then all as bars. words is the element that shows the question; explain(answer) is asked for when an answer is chosen, explained is
 * the id of the one whose reasons are shown.
 */
export function answerParts({ words, result, timing, explained, explain }) {
  const [best] = result.answers;
  return [
    words,
    h(
      "p",
      { class: "best", lang: "en" },
      h("span", { class: "best-name" }, answerName(best)),
      " ",
      h("span", { class: "best-sure" }, percent(answerSure(best))),
    ),
    h(
      "ol",
      { class: "bars", "aria-label": text("answers") },
      result.answers.map((answer) => h("li", {}, bar(answer, answer.id === explained, explain))),
    ),
    timing && h("p", { class: "fine" }, timingText(timing)),
  ];
}

function bar(answer, pressed, explain) {
  const sure = answerSure(answer);
  const button = h(
    "button",
    {
      type: "button",
      class: "bar-row",
      "aria-pressed": String(pressed),
      "aria-label": text("answerExplain", { answer: answerName(answer), sure: percent(sure) }),
      title: answer.probability - sure > 0.005 ? text("probabilityWas", { p: percent(answer.probability), c: percent(sure) }) : null,
      onclick: () => explain(answer),
    },
    h("span", { class: "bar-name", lang: "en" }, answerName(answer)),
    h("span", { class: "track" }, h("span", { class: "bar-was" }), h("span", { class: "bar-fill" })),
    h("span", { class: "bar-value" }, percent(sure)),
  );
  setNumber(button, "--share", sure);
  setNumber(button, "--was", answer.probability ?? sure);
  return button;
}

function timingText(timing) {
  const ms = (value) => text("milliseconds", { n: number(value ?? 0, { maximumFractionDigits: (value ?? 0) < 10 ? 1 : 0 }) });
  const values = { regions: ms(timing.regions_ms), answer: ms(timing.answer_ms), why: ms(timing.explain_ms) };
  return text(timing.explain_ms ? "timingWhy" : "timing", values);
}
