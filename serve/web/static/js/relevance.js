// From an explanation to shades: how dark or bright each word and each region is shown. Nothing here touches the page.
//
// A view says what of an explanation is shown: { method, map, head }. map is null for the method's own scores, or the name of an attention map; head is
// "mean" or a head's number. A focus is the word or region that a person points at: { kind: "words" | "regions", index }.
//
// A shading is { words, regions, wordValues, regionValues, says, focus }: shades are in 0..1, values are the raw numbers; null means that nothing is said about
// words, or regions. says is the key of the sentence that tells what is shown.

/** The shading of an explanation: of the answer as a whole, or of what the focus attends to. */
export function shading(explanation, view, focus) {
  if (view.map) return mapShading(explanation, view, focus);
  if (focus) return rowShading(explanation, focus);
  return {
    words: explanation.token_shades,
    wordValues: explanation.token_scores,
    regions: explanation.region_shades,
    regionValues: explanation.region_scores,
    says: "readoutAnswer",
    focus: null,
  };
}

/** What a word or a region draws on, in the method's matrices. */
function rowShading({ matrices, tokens }, focus) {
  const special = tokens.map((token) => token.special);
  const { kind, index } = focus;
  let words, regions;
  let says = "readoutRow";
  if (kind === "words") {
    words = matrices?.token_token?.[index];
    regions = matrices?.token_region?.[index];
  } else {
    words = matrices?.region_token?.[index];
    regions = matrices?.region_region?.[index];
    if (!words && !regions && matrices?.token_region) {
      // The answer is read off the first token, so a method may follow the language's side only.
      words = matrices.token_region.map((row) => row[index]);
      says = "readoutColumn";
    }
  }
  if (!words && !regions) says = "readoutNothing";
  return {
    words: scale(words, (i) => special[i] || (kind === "words" && i === index)),
    wordValues: words ?? null,
    regions: scale(regions, (i) => kind === "regions" && i === index),
    regionValues: regions ?? null,
    says,
    focus,
  };
}

/** One attention map: the row of the focus; without a focus the row of [CLS], or the mean of all regions' rows. */
function mapShading(explanation, view, focus) {
  const map = findMap(explanation, view.map);
  const none = { words: null, wordValues: null, regions: null, regionValues: null, says: "readoutNothing", focus };
  if (!map) return none;
  const matrix = view.head === "mean" ? map.mean : (map.heads?.[view.head] ?? map.mean);
  const queries = sideOf(map.queries);
  const keys = sideOf(map.keys);
  let values;
  let side = keys;
  let says = "readoutRow";
  if (!focus) {
    values = queries === "words" ? matrix[0] : mean(matrix);
    says = queries === "words" ? "readoutSentence" : "readoutAllRegions";
  } else if (focus.kind === queries) {
    values = matrix[focus.index];
  } else if (focus.kind === keys) {
    values = matrix.map((row) => row[focus.index]);
    side = queries;
    says = "readoutColumn";
  } else {
    return none;
  }
  const shades = scale(values, () => false);
  return {
    ...none,
    says,
    focus: focus ?? null,
    ...(side === "words" ? { words: shades, wordValues: values } : { regions: shades, regionValues: values }),
  };
}

export const findMap = (explanation, name) => explanation?.maps?.find((map) => map.name === name);

const sideOf = (rows) => (rows === "tokens" ? "words" : "regions");

/** Values as shares of the largest, those left out not counted and 0. */
export function scale(values, leftOut) {
  if (!values) return null;
  const largest = Math.max(0, ...values.filter((v, i) => !leftOut(i) && Number.isFinite(v)));
  return values.map((v, i) => (leftOut(i) || !(largest > 0) || !(v > 0) ? 0 : Math.min(1, v / largest)));
}

function mean(matrix) {
  const sum = matrix[0].map(() => 0);
  for (const row of matrix) row.forEach((v, i) => (sum[i] += v / matrix.length));
  return sum;
}

/** The indices of the n largest shades that are worth a mention, the largest first. */
export function strongest(shades, n) {
  return (shades ?? [])
    .map((shade, index) => ({ shade, index }))
    .filter(({ shade }) => shade > 0.25)
    .sort((a, b) => b.shade - a.shade || a.index - b.index)
    .slice(0, n)
    .map(({ index }) => index);
}

/**
 * The question cut into tokens and what is between them: [{ text, index }], index null for what is between. Offsets are bytes of UTF-8, a
 * JavaScript string counts otherwise. Special tokens have no place in the question: they come first and last.
 */
export function pieces(question, tokens, withSpecial) {
  const bytes = new TextEncoder().encode(question);
  const cut = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const out = [];
  let at = 0;
  tokens.forEach((token, index) => {
    if (token.special || token.end <= token.start) {
      if (!withSpecial) return;
      if (at > 0 && at < bytes.length) {
        out.push({ text: cut(at, bytes.length), index: null });
        at = bytes.length;
      }
      out.push({ text: token.text, index, special: true });
      return;
    }
    if (token.start > at) out.push({ text: cut(at, token.start), index: null });
    out.push({ text: cut(token.start, token.end), index });
    at = token.end;
  });
  if (at < bytes.length) out.push({ text: cut(at, bytes.length), index: null });
  return out;
}
