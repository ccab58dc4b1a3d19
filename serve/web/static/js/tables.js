// All that boxes and colours say, as tables.
import { h } from "./dom.js";
import { number, percent, text } from "./language.js";
import { regionName, regionSure } from "./stage.js";

export class Tables {
  constructor(container) {
    this.summary = h("summary", {});
    this.body = h("div", { class: "tables" });
    container.append(h("details", {}, this.summary, this.body));
  }

  /**
   * Shows regions, the most relevant first, and the question's words. tokens and shading are null before a question; of what a shading says nothing about
   * there are no numbers.
   */
  show(regions, tokens, shading) {
    this.summary.textContent = text("table");
    const words = (tokens ?? []).map((token, i) => ({
      name: token.text,
      cells: [],
      shade: shading?.words?.[i],
      value: shading?.wordValues?.[i],
      special: token.special,
    }));
    const found = regions.map((region, i) => ({
      name: regionName(region, i),
      cells: [sure(region), place(region.box)],
      shade: shading?.regions?.[i],
      value: shading?.regionValues?.[i],
    }));
    const figures = shading ? ["tableRelevance", "tableValue"] : [];
    this.body.replaceChildren(
      table("tableRegions", ["tableRegion", "tableSure", "tablePlace", ...figures], found, Boolean(shading)),
      ...(tokens
        ? [
            table(
              "tableWords",
              ["tableWord", ...figures],
              words.filter((row) => !row.special || row.shade > 0),
              Boolean(shading),
            ),
          ]
        : []),
    );
  }
}

/** A table of rows { name, cells, shade, value }, the highest shade first. */
function table(caption, heads, rows, withFigures) {
  const figure = (value, write) => h("td", {}, value === undefined ? "–" : write(value));
  const row = ({ name, cells, shade, value }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", lang: "en" }, name),
      cells.map((cell) => h("td", {}, cell)),
      withFigures && figure(shade, percent),
      withFigures && figure(value, (v) => number(v, { maximumSignificantDigits: 3 })),
    );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": text(caption) },
    h(
      "table",
      {},
      h("caption", {}, text(caption)),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((key) => h("th", { scope: "col" }, text(key))),
        ),
      ),
      h("tbody", {}, [...rows].sort((a, b) => (b.shade ?? 0) - (a.shade ?? 0)).map(row)),
    ),
  );
}

const sure = (region) => (regionSure(region) === null ? "–" : percent(regionSure(region)));

function place(box) {
  const [x1, y1, x2, y2] = box.map((v) => v.toFixed(2));
  return `${x1}, ${y1} – ${x2}, ${y2}`;
}
