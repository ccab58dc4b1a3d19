// The picture with its regions.
import { h, setNumber } from "./dom.js";
import { percent, text } from "./language.js";
import { place } from "./plates.js";
import { pointable, roving } from "./roving.js";
import { isWhole, Veil } from "./veil.js";

/** What a region is called. */
export const regionName = (region, index) => region.label || text("region", { n: index + 1 });

/** How sure the detector is of a region, or null where it does not say. */
export const regionSure = (region) => region.object?.confidence ?? null;

export class Stage {
  /** point(index, begins) and pin(index) hear of regions; other() is asked for another picture. */
  constructor(container, { point, pin, other }) {
    this.point = point;
    this.pin = pin;
    this.regions = [];
    this.boxes = [];
    this.shades = null;
    this.image = h("img", { draggable: "false" });
    this.image.addEventListener("load", () => {
      this.frame.classList.remove("blank");
      setNumber(this.frame, "--ratio", this.image.naturalWidth / this.image.naturalHeight);
    });
    this.image.addEventListener("error", () => this.frame.classList.add("blank"));
    this.canvas = h("canvas", { class: "veil", "aria-hidden": "true" });
    this.group = h("div", { class: "regions", role: "group" });
    this.missing = h("p", { class: "missing" });
    this.frame = h("div", { class: "frame" }, this.image, this.missing, this.canvas, this.group);
    this.readout = h("p", { class: "readout" });
    this.facts = h("span", { class: "facts" });
    this.labels = h("button", {
      type: "button",
      class: "quiet toggle",
      "aria-pressed": "true",
      onclick: () => this.#toggle(this.labels, "no-labels"),
    });
    this.shading = h("button", {
      type: "button",
      class: "quiet toggle",
      "aria-pressed": "true",
      hidden: true,
      onclick: () => this.#toggle(this.shading, "no-veil"),
    });
    this.other = h("button", { type: "button", class: "quiet", onclick: other });
    container.append(this.frame, this.readout, h("div", { class: "row bar" }, this.facts, this.labels, this.shading, this.other));
    this.veil = new Veil(this.canvas);
    new ResizeObserver(() => this.#plates()).observe(this.frame);
    document.fonts?.ready.then(() => this.#plates());
    this.translate();
  }

  #toggle(button, name) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    this.frame.classList.toggle(name, !on);
  }

  /** Shows a picture; look is what the server saw in it, null as long as it looks. */
  show(picture, look) {
    if (this.picture !== picture) {
      this.picture = picture;
      this.image.src = picture.url;
    }
    this.look = look;
    this.regions = look?.regions ?? [];
    this.boxes = this.regions.map((region) => region.box);
    this.frame.classList.toggle("waiting", !look);
    if (look?.picture?.width) setNumber(this.frame, "--ratio", look.picture.width / look.picture.height);
    this.#build();
    this.shade(null, null);
    this.translate();
  }

  #build() {
    this.buttons = this.regions.map((region, index) => {
      const [x1, y1, x2, y2] = region.box;
      const plate = h("span", { class: "plate", lang: "en" }, regionName(region, index));
      const button = h(
        "button",
        { type: "button", class: isWhole(region.box) ? "region whole" : "region", "aria-pressed": "false" },
        plate,
      );
      setNumber(button, "--x", x1);
      setNumber(button, "--y", y1);
      setNumber(button, "--w", x2 - x1);
      setNumber(button, "--h", y2 - y1);
      pointable(
        button,
        (begins) => this.point(index, begins),
        () => this.pin(index),
      );
      return button;
    });
    // What is drawn later lies above: the smallest last. Tab and arrows go in the same order.
    const order = this.boxes.map((_, i) => i).sort((a, b) => area(this.boxes[b]) - area(this.boxes[a]) || a - b);
    const ordered = order.map((i) => this.buttons[i]);
    this.group.replaceChildren(...ordered);
    roving(this.group, ordered);
    this.#plates();
  }

  /** Puts the labels where there is room for them. */
  #plates() {
    if (!this.buttons?.length || !this.frame.clientWidth) return;
    const places = place({
      boxes: this.boxes,
      labels: this.regions.map(regionName),
      sure: this.regions.map((region) => (isWhole(region.box) ? -1 : (regionSure(region) ?? 0))),
      width: this.frame.clientWidth,
      tall: this.frame.clientHeight,
      font: getComputedStyle(this.buttons[0].firstChild).font,
    });
    places.forEach((at, i) => {
      const plate = this.buttons[i].firstChild;
      plate.classList.toggle("crowded", !at);
      setNumber(plate, "--left", (at?.x ?? 0) + "px");
      setNumber(plate, "--top", (at?.y ?? 0) + "px");
    });
  }

  /** Shades the regions, null for no shades; index is the region that is pointed at or null; kept says that it stays. */
  shade(shades, index, kept = false) {
    this.shades = shades;
    this.veil.show(this.boxes, shades);
    this.shading.hidden = !shades;
    this.frame.classList.toggle("shaded", Boolean(shades));
    this.frame.classList.toggle("focused", index !== null);
    this.buttons?.forEach((button, i) => {
      setNumber(button, "--shade", shades?.[i] ?? 0);
      button.classList.toggle("strong", (shades?.[i] ?? 0) >= 0.6);
      button.classList.toggle("here", i === index);
      button.setAttribute("aria-pressed", String(kept && i === index));
    });
    this.#names();
  }

  /** One sentence below the picture. */
  say(sentence) {
    this.readout.textContent = sentence;
  }

  /** What a region is called, and how sure that is. */
  name(index) {
    const label = regionName(this.regions[index], index);
    const sure = regionSure(this.regions[index]);
    return sure === null ? label : text("regionSure", { label, sure: percent(sure) });
  }

  #names() {
    this.buttons?.forEach((button, i) => {
      let name = this.name(i);
      if (this.shades) name = text("regionShade", { label: name, shade: percent(this.shades[i]) });
      button.setAttribute("aria-label", name);
    });
  }

  translate() {
    this.group.setAttribute("aria-label", text("regions"));
    this.labels.textContent = text("labels");
    this.shading.textContent = text("shading");
    this.other.textContent = text("chooseOther");
    this.missing.textContent = text("noPreview");
    if (!this.picture) return;
    const { picture, look } = this;
    const name = picture.seed === null ? picture.name : text("scene", { seed: picture.seed });
    const labels = this.regions.slice(0, 8).map(regionName).join(", ");
    this.image.alt = look ? text("pictureAlt", { name, n: this.regions.length, labels }) : text("picturePlain", { name });
    const facts = [name];
    if (look?.picture?.width) facts.push(text("size", look.picture));
    if (look) facts.push(text("regionCount", { n: this.regions.length }));
    this.facts.textContent = look ? facts.join(" · ") : text("looking");
    this.#names();
  }
}

const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
