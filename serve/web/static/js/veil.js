// The veil over the picture: dark where little relevance lies, amber where much does. It is painted at the screen's own resolution.
import { stillness } from "./dom.js";

/** How long one shading turns into the next, in milliseconds. */
const turning = 180;

/** From no relevance to all of it: a dark that covers, to a clear amber that does not. Lightness rises all the way, so that it is seen without colours, too. */
const scale = [
  [0.0, [16, 18, 34, 0.62]],
  [0.5, [40, 26, 24, 0.32]],
  [1.0, [255, 190, 40, 0.07]],
];

function colour(shade) {
  const i = Math.max(
    1,
    scale.findIndex(([at]) => shade <= at),
  );
  const [from, a] = scale[i - 1];
  const [to, b] = scale[i];
  const t = (shade - from) / (to - from);
  const [red, green, blue, alpha] = a.map((v, k) => v + (b[k] - v) * t);
  return `rgba(${red} ${green} ${blue} / ${alpha})`;
}

/**
 * Whether a region is the whole picture, or as good as that. It is shaded at its edge only: lit, it would leave nothing dark for the others to stand out
 * from.
 */
export const isWhole = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1) > 0.97;

export class Veil {
  constructor(canvas) {
    this.canvas = canvas;
    this.boxes = [];
    this.now = null; // shades as painted, null if nothing is
    new ResizeObserver(() => this.#paint()).observe(canvas);
  }

  /** Shades the regions with those boxes. No shades: no veil. */
  show(boxes, shades) {
    if (boxes !== this.boxes) this.now = null;
    this.boxes = boxes;
    cancelAnimationFrame(this.frame);
    if (!shades || !this.now || stillness()) {
      this.now = shades ? [...shades] : null;
      this.#paint();
      return;
    }
    const from = this.now;
    const begin = performance.now();
    const step = (time) => {
      const t = Math.min(1, Math.max(0, (time - begin) / turning));
      const eased = 1 - (1 - t) ** 3;
      this.now = shades.map((shade, i) => from[i] + (shade - from[i]) * eased);
      this.#paint();
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
  }

  #paint() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (!this.now) return;
    const shades = this.now;
    context.fillStyle = colour(0);
    context.fillRect(0, 0, width, height);
    // Where regions lie on each other the most relevant is seen: it is painted last.
    const order = this.boxes.map((_, i) => i).filter((i) => !isWhole(this.boxes[i]));
    order.sort((a, b) => shades[a] - shades[b]);
    for (const i of order) {
      const [x1, y1, x2, y2] = this.boxes[i];
      const x = Math.round(x1 * width);
      const y = Math.round(y1 * height);
      const w = Math.round(x2 * width) - x;
      const h = Math.round(y2 * height) - y;
      context.clearRect(x, y, w, h);
      context.fillStyle = colour(shades[i]);
      context.fillRect(x, y, w, h);
    }
  }
}
