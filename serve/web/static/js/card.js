// The model's card.
import { h } from "./dom.js";
import { number, text } from "./language.js";

const tasks = {
  "visual-question-answering": "taskVqa",
  "object-detection": "taskDetection",
  "fill-mask": "taskFillMask",
  "feature-extraction": "taskFeatures",
};

/** Opens the card of a model, as /v1/models lists it. */
export function openCard(dialog, model) {
  fillCard(dialog, model);
  dialog.showModal();
}

/** Fills the card; done again when the language changes. */
export function fillCard(dialog, model) {
  const card = model.card ?? {};
  const rows = [
    ["cardTasks", card.tasks?.map((task) => (tasks[task] ? text(tasks[task]) : task)).join(", ")],
    ["cardAnswers", card.answers && number(card.answers)],
    ["cardRegions", [...new Set([card.preset, card.detector])].filter(Boolean).join(", ")],
    [
      "cardLayers",
      card.language_layers &&
        text("cardLayersValue", { language: card.language_layers, vision: card.vision_layers, cross: card.cross_layers }),
    ],
    ["cardHidden", card.hidden && `${number(card.hidden)}, ${number(card.heads)}`],
    ["cardParameters", card.parameters && number(card.parameters)],
    ["cardTokens", card.max_tokens && text("cardTokensValue", { n: number(card.max_tokens) })],
    ["cardSource", card.source],
    ["cardVersion", card.version],
    ["cardLoaded", card.loaded && when(card.loaded)],
  ].filter(([, value]) => value);
  dialog.replaceChildren(
    h(
      "div",
      { class: "sheet" },
      h("h2", { id: "card-title" }, model.id),
      card.description && h("p", { lang: "en" }, card.description),
      card.notes?.map((note) => h("p", { class: "said", lang: "en" }, note)),
      h(
        "dl",
        { class: "card" },
        rows.map(([key, value]) => h("div", {}, h("dt", {}, text(key)), h("dd", {}, value))),
      ),
      h("div", { class: "row end" }, h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, text("close"))),
    ),
  );
}

function when(date) {
  const time = new Date(date);
  return Number.isNaN(time.getTime())
    ? date
    : time.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}
