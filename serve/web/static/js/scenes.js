// Drawn scenes to choose from.
import { h } from "./dom.js";
import { text } from "./language.js";
import * as api from "./api.js";
import { Picture } from "./pictures.js";

/** How many are offered at once. */
const many = 6;

/** The seeds that a visitor sees first: scenes with much to ask about. */
const first = [25, 107, 33, 67, 24, 50];

export class Scenes {
  /** take(picture) is called with the one that is chosen, failed(failure, retry) if there are none. */
  constructor(list, other, { take, failed }) {
    Object.assign(this, { list, take, failed });
    other.addEventListener("click", () => this.load(Array.from({ length: many }, () => Math.floor(Math.random() * 1_000_000))));
  }

  /** Fetches the pictures; a button for each stands there at once. */
  async load(seeds = first) {
    this.seeds = seeds;
    this.pictures = seeds.map(() => null);
    this.show();
    try {
      await Promise.all(
        seeds.map(async (seed, i) => {
          const file = new File([await api.scene(seed)], `scene-${seed}.png`, { type: "image/png" });
          if (this.seeds !== seeds) return; // others have been asked for meanwhile
          this.pictures[i] = new Picture(file, { seed });
          this.#fill(i);
        }),
      );
    } catch (failure) {
      this.failed(failure, () => this.load(seeds));
    }
  }

  show() {
    this.list.replaceChildren(
      ...this.seeds.map((seed, i) =>
        h(
          "li",
          {},
          h("button", { type: "button", class: "thumb", "aria-label": text("sceneAlt", { seed }), onclick: () => this.#choose(i) }),
        ),
      ),
    );
    this.seeds.forEach((_, i) => this.#fill(i));
  }

  #fill(i) {
    const picture = this.pictures[i];
    if (picture)
      this.list.children[i].firstChild.replaceChildren(
        h("img", { src: picture.url, alt: "", width: 320, height: 240, draggable: "false" }),
      );
  }

  #choose(i) {
    if (this.pictures[i]) this.take(this.pictures[i]);
  }
}
