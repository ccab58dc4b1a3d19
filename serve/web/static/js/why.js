// What is shown of an explanation: the choice of a method, or of an attention map and head.
import { h } from "./dom.js";
import { hasText, text } from "./language.js";
import { findMap } from "./relevance.js";

/** The methods, as the API calls them; a string's key is made of it. */
const methods = ["relevance", "relevance_unnormalised", "relevance_no_self", "raw_attention", "rollout", "attention_gradcam"];

/** The value that stands for attention maps in the list of methods. */
const maps = "maps";

const camel = (name) =>
  name
    .split("_")
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join("");

/** The map that is shown first: the last layer in which words look at regions. */
export const firstMap = (explanation) =>
  explanation.maps?.findLast((map) => map.kind === "cross_language")?.name ?? explanation.maps?.[0]?.name ?? null;

export class Why {
  /** change(view) is called when something else is to be shown. */
  constructor(container, { change }) {
    this.change = change;
    this.method = h("select", { id: "method", onchange: () => this.#changed() });
    this.map = h("select", { id: "map", onchange: () => this.#changed() });
    this.head = h("select", { id: "head", onchange: () => this.#changed() });
    this.title = h("h2", {});
    this.labels = { method: h("span", {}), map: h("span", {}), head: h("span", {}) };
    this.mapLabel = h("label", { hidden: true }, this.labels.map, this.map);
    this.headLabel = h("label", { hidden: true }, this.labels.head, this.head);
    this.about = h("p", { class: "hint" });
    this.less = h("span", {});
    this.more = h("span", {});
    this.legend = h("p", { class: "legend", "aria-hidden": "true" }, this.less, h("span", { class: "legend-scale" }), this.more);
    this.hint = h("p", { class: "hint" });
    container.append(
      h("div", { class: "row" }, this.title, this.legend),
      h("div", { class: "choices" }, h("label", {}, this.labels.method, this.method), this.mapLabel, this.headLabel),
      this.about,
      this.hint,
    );
  }

  #changed() {
    const wantsMaps = this.method.value === maps;
    this.change({
      method: wantsMaps ? this.view.method : this.method.value,
      map: wantsMaps ? this.map.value || maps : null, // which maps there are is not known before they have been fetched
      head: wantsMaps && this.head.value ? (this.head.value === "mean" ? "mean" : Number(this.head.value)) : "mean",
    });
  }

  /** Shows what can be chosen, and what is. explanation may be null as long as there is none. */
  show(view, explanation) {
    this.view = view;
    this.title.textContent = text("why");
    this.labels.method.textContent = text("show");
    this.labels.map.textContent = text("layer");
    this.labels.head.textContent = text("head");
    this.less.textContent = text("less");
    this.more.textContent = text("more");
    this.hint.textContent = text(matchMedia("(hover: none)").matches ? "pinHintTouch" : "pinHint");
    this.method.replaceChildren(
      h(
        "optgroup",
        { label: text("byMethod") },
        methods.map((method) => h("option", { value: method }, text("method" + camel(method)))),
      ),
      h("optgroup", { label: text("byAttention") }, h("option", { value: maps }, text("attentionMaps"))),
    );
    this.method.value = view.map ? maps : view.method;
    this.about.textContent = text("about" + camel(view.map ? maps : view.method));
    const list = view.map ? (explanation?.maps ?? []) : [];
    this.mapLabel.hidden = this.headLabel.hidden = list.length === 0;
    if (list.length === 0) return;
    const kinds = [...new Set(list.map((map) => map.kind))];
    this.map.replaceChildren(
      ...kinds.map((kind) => {
        const key = "kind" + camel(kind);
        const options = list.filter((map) => map.kind === kind).map((map) => h("option", { value: map.name }, optionName(map)));
        return h("optgroup", { label: hasText(key) ? text(key) : kind }, options);
      }),
    );
    this.map.value = view.map;
    const heads = findMap(explanation, view.map)?.heads?.length ?? 0;
    this.head.replaceChildren(
      h("option", { value: "mean" }, text("headMean")),
      ...Array.from({ length: heads }, (_, i) => h("option", { value: i }, text("headN", { n: i + 1 }))),
    );
    this.head.value = String(view.head);
  }
}

function optionName(map) {
  const key = "kind" + camel(map.kind);
  const layer = text("layerN", { n: map.layer + 1 });
  return hasText(key) ? `${text(key)}, ${layer}` : map.name;
}
