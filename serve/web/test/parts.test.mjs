// The parts of the page that touch no page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, scale, shading, strongest } from "../static/js/relevance.js";
import { curl, exampleOf, fieldsOf, limitsOf, resolve, typeOf } from "../static/js/schema.js";

const view = { method: "relevance", map: null, head: "mean" };
const token = (text, start, end, special = false) => ({ text, start, end, special });

test("a question is cut at bytes, not at JavaScript's characters", () => {
  const question = "Où est 🚗?"; // ù is two bytes, the car four bytes and two characters
  const tokens = [
    token("[CLS]", 0, 0, true),
    token("ou", 0, 3),
    token("est", 4, 7),
    token("[UNK]", 8, 12),
    token("?", 12, 13),
    token("[SEP]", 0, 0, true),
  ];
  const plain = pieces(question, tokens, false);
  assert.deepEqual(
    plain.map((piece) => piece.text),
    ["Où", " ", "est", " ", "🚗", "?"],
  );
  assert.equal(plain.map((piece) => piece.text).join(""), question);
  assert.deepEqual(
    pieces(question, tokens, true).map((piece) => piece.index),
    [0, 1, null, 2, null, 3, 4, 5],
  );
});

test("what no token covers is shown all the same", () => {
  const text = (tokens) => pieces("  a  b  ", tokens, false).map((piece) => piece.text);
  assert.deepEqual(text([token("a", 2, 3), token("b", 5, 6)]), ["  ", "a", "  ", "b", "  "]);
  assert.deepEqual(text([]), ["  a  b  "]);
  assert.deepEqual(text([token("a", 2, 3), token("[SEP]", 0, 0, true)]), ["  ", "a", "  b  "]); // cut to the longest question
});

test("shades are shares of the largest", () => {
  const none = () => false;
  assert.deepEqual(scale([1, 2, 4], none), [0.25, 0.5, 1]);
  assert.deepEqual(
    scale([1, 2, 4], (i) => i === 2),
    [0.5, 1, 0],
  );
  assert.deepEqual(scale([0, 0], none), [0, 0]);
  assert.deepEqual(scale([NaN, -1, 2], none), [0, 0, 1]);
  assert.equal(scale(undefined, none), null);
  assert.deepEqual(strongest([0.1, 0.9, 0.3, 0.9], 3), [1, 3, 2]);
  assert.deepEqual(strongest(null, 3), []);
});

const explanation = {
  tokens: [token("[CLS]", 0, 0, true), token("red", 0, 3), token("car", 4, 7), token("[SEP]", 0, 0, true)],
  token_scores: [9, 1, 2, 9],
  token_shades: [0, 0, 1, 0],
  region_scores: [3, 1],
  region_shades: [1, 0],
  matrices: {
    token_token: [
      [9, 1, 1, 1],
      [9, 8, 2, 9],
      [9, 4, 8, 9],
      [1, 1, 1, 1],
    ],
    token_region: [
      [1, 1],
      [1, 4],
      [6, 3],
      [1, 1],
    ],
    region_token: null,
    region_region: null,
  },
  maps: [
    { name: "cross_language.0", queries: "tokens", keys: "regions", mean: [[1, 2], [3, 4], [5, 6], [7, 8]], heads: [[[1, 0], [0, 1], [1, 1], [2, 1]]] }, // prettier-ignore
    { name: "region.0", queries: "regions", keys: "regions", mean: [[1, 3], [3, 1]], heads: [] }, // prettier-ignore
  ],
};

test("an explanation without a focus is the answer's", () => {
  const shown = shading(explanation, view, null);
  assert.equal(shown.says, "readoutAnswer");
  assert.deepEqual([shown.words, shown.regions], [explanation.token_shades, explanation.region_shades]);
});

test("a word's row leaves out itself and the special tokens", () => {
  const shown = shading(explanation, view, { kind: "words", index: 1 });
  assert.deepEqual(shown.words, [0, 0, 1, 0]);
  assert.deepEqual(shown.regions, [0.25, 1]);
});

test("a region without rows of its own has the column of words", () => {
  const shown = shading(explanation, view, { kind: "regions", index: 0 });
  assert.equal(shown.says, "readoutColumn");
  assert.deepEqual(shown.wordValues, [1, 1, 6, 1]);
  assert.deepEqual(shown.words, [0, 1 / 6, 1, 0]);
  assert.equal(shown.regions, null);
  const nothing = shading({ ...explanation, matrices: {} }, view, { kind: "regions", index: 0 });
  assert.equal(nothing.says, "readoutNothing");
});

test("attention maps: the row of [CLS], of a word, the column of a region, a head", () => {
  const map = { ...view, map: "cross_language.0" };
  assert.deepEqual(shading(explanation, map, null).regionValues, [1, 2]);
  assert.deepEqual(shading(explanation, map, { kind: "words", index: 2 }).regionValues, [5, 6]);
  const column = shading(explanation, map, { kind: "regions", index: 1 });
  assert.deepEqual([column.says, column.wordValues, column.regions], ["readoutColumn", [2, 4, 6, 8], null]);
  assert.deepEqual(shading(explanation, { ...map, head: 0 }, { kind: "words", index: 3 }).regionValues, [2, 1]);
  const regions = { ...view, map: "region.0" };
  assert.deepEqual(shading(explanation, regions, null).regionValues, [2, 2]);
  assert.equal(shading(explanation, regions, { kind: "words", index: 1 }).says, "readoutNothing");
  assert.equal(shading(explanation, { ...view, map: "no such" }, null).words, null);
});

const document = {
  components: {
    schemas: {
      Node: { type: "object", properties: { value: { type: "number" }, next: { $ref: "#/components/schemas/Node" } } },
      Base: { type: "object", required: ["a"], properties: { a: { type: "string", maxLength: 3, example: "it's" } } },
      Both: { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { b: { type: ["integer", "null"], default: 5 } } }] },
    },
  },
};
const schema = (name) => ({ $ref: "#/components/schemas/" + name });

test("schemas: references, joined ones, ones that contain themselves", () => {
  assert.equal(resolve(document, schema("Nothing")).description, "#/components/schemas/Nothing");
  assert.deepEqual(
    fieldsOf(document, schema("Both")).map((field) => [field.name, field.required]),
    [
      ["a", true],
      ["b", false],
    ],
  );
  assert.equal(typeOf(document, { type: "array", items: { oneOf: [{ type: "string" }, schema("Base")] } }), "array of string or object");
  assert.equal(typeOf(document, fieldsOf(document, schema("Both"))[1].schema), "integer or null");
  assert.deepEqual(limitsOf(document, { enum: ["x", 1], default: 1 }), ['"x", 1', "default 1"]);
  assert.ok(JSON.stringify(exampleOf(document, schema("Node"))).length < 300);
  assert.deepEqual(exampleOf(document, schema("Both")), { a: "it's" });
});

test("curl: quotes, query, forms, a token", () => {
  const json = { requestBody: { content: { "application/json": { schema: schema("Base") } } } };
  assert.equal(
    curl(document, "http://h", "post", "/a", json, true),
    `curl http://h/a \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"a":"it'\\''s"}'`,
  );
  const query = {
    parameters: [
      { name: "seed", in: "query", required: true, schema: { type: "integer", minimum: 7 } },
      { name: "id", in: "path", schema: { default: "a b" } },
    ],
  };
  assert.equal(curl(document, "http://h", "get", "/s/{id}", query, false), "curl 'http://h/s/a%20b?seed=7'");
  const form = {
    requestBody: {
      content: {
        "multipart/form-data": { schema: { properties: { image: { type: "string", format: "binary" }, n: { type: "integer" } } } },
      },
    },
  };
  assert.equal(curl(document, "http://h", "post", "/f", form, false), "curl http://h/f \\\n  -F image=@photo.jpg \\\n  -F n=0");
});
