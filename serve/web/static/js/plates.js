// Where the labels of regions go: at their boxes, on no other label, and not across the picture's edge.

const height = 20;
const padding = 12; // left and right together
const gap = 2;

/** Measures texts as the labels show them. */
const measure = (() => {
  let context;
  return (text, font) => {
    context ??= document.createElement("canvas").getContext("2d");
    context.font = font;
    return context.measureText(text).width;
  };
})();

/**
 * Finds a place for each label: { x, y } in pixels from the box's upper left corner, or null where there is none. boxes are [x1, y1, x2, y2] in 0..1 of a
 * picture of width and tall pixels; the surest region chooses first.
 */
export function place({ boxes, labels, sure, width, tall, font }) {
  const out = labels.map(() => null);
  const taken = [];
  const order = labels.map((_, i) => i).sort((a, b) => sure[b] - sure[a] || a - b);
  for (const i of order) {
    const w = Math.ceil(measure(labels[i], font)) + padding;
    const [x1, y1, x2, y2] = [boxes[i][0] * width, boxes[i][1] * tall, boxes[i][2] * width, boxes[i][3] * tall];
    const left = Math.max(0, Math.min(x1, width - w));
    const right = Math.max(0, Math.min(x2 - w, width - w));
    const ways = [
      [left, y1 - height - gap],
      [right, y1 - height - gap],
      [left, y2 + gap],
      [left + gap, y1 + gap],
      [right, y2 + gap],
      [left + gap, y2 - height - gap],
    ];
    for (const [x, y] of ways) {
      if (w > width || y < 0 || y + height > tall) continue;
      if (taken.some((t) => x < t.x + t.w + gap && t.x < x + w + gap && y < t.y + height + gap && t.y < y + height + gap)) continue;
      taken.push({ x, y, w });
      out[i] = { x: x - x1, y: y - y1 };
      break;
    }
  }
  return out;
}
