// JSON schemas of an OpenAPI document, as far as they can be told in words. Nothing here touches the page.

/** How deep schemas are followed: some contain themselves. */
const deepest = 6;

/** The part of the document that a reference means. */
export function resolve(document, value) {
  for (let i = 0; value?.$ref && i < 20; i++) {
    const { $ref, ...beside } = value;
    const found = $ref.startsWith("#/")
      ? $ref
          .slice(2)
          .split("/")
          .reduce((at, key) => at?.[decodeURIComponent(key).replace(/~1/g, "/").replace(/~0/g, "~")], document)
      : undefined;
    value = found ? { ...found, ...beside } : { ...beside, description: beside.description ?? $ref };
  }
  return value ?? {};
}

/** The schema with all that allOf joins. */
function whole(document, schema) {
  schema = resolve(document, schema);
  if (!schema.allOf) return schema;
  const { allOf, ...own } = schema;
  return [...allOf.map((part) => whole(document, part)), own].reduce(
    (all, part) => ({
      ...all,
      ...part,
      properties: { ...all.properties, ...part.properties },
      required: [...(all.required ?? []), ...(part.required ?? [])],
    }),
    {},
  );
}

/** A type in a few words: "string", "array of number", "integer or null". */
export function typeOf(document, schema, depth = 0) {
  schema = whole(document, schema);
  const ways = schema.oneOf ?? schema.anyOf;
  if (ways && depth < deepest) return [...new Set(ways.map((way) => typeOf(document, way, depth + 1)))].join(" or ");
  const types = [schema.type ?? (schema.properties ? "object" : schema.const !== undefined ? typeof schema.const : "any")].flat();
  return types
    .map((type) => (type === "array" && schema.items && depth < deepest ? "array of " + typeOf(document, schema.items, depth + 1) : type))
    .join(" or ");
}

/** What else a schema demands, in words. */
export function limitsOf(document, schema) {
  schema = whole(document, schema);
  const out = [];
  const show = (value) => JSON.stringify(value);
  if (schema.enum) out.push(schema.enum.map(show).join(", "));
  if (schema.const !== undefined) out.push(show(schema.const));
  if (schema.format) out.push(schema.format);
  if (schema.minimum !== undefined) out.push("≥ " + schema.minimum);
  if (schema.maximum !== undefined) out.push("≤ " + schema.maximum);
  if (schema.minLength !== undefined) out.push("length ≥ " + schema.minLength);
  if (schema.maxLength !== undefined) out.push("length ≤ " + schema.maxLength);
  if (schema.minItems !== undefined) out.push("items ≥ " + schema.minItems);
  if (schema.maxItems !== undefined) out.push("items ≤ " + schema.maxItems);
  if (schema.pattern) out.push(schema.pattern);
  if (schema.default !== undefined) out.push("default " + show(schema.default));
  return out;
}

/** The fields of an object, or of an array's objects, or of one of several ways: [{ name, schema, required }]. */
export function fieldsOf(document, schema, depth = 0) {
  schema = whole(document, schema);
  if (schema.properties)
    return Object.entries(schema.properties).map(([name, value]) => ({
      name,
      schema: resolve(document, value),
      required: schema.required?.includes(name) ?? false,
    }));
  if (depth >= deepest) return [];
  if (schema.items) return fieldsOf(document, schema.items, depth + 1);
  for (const way of schema.oneOf ?? schema.anyOf ?? []) {
    const fields = fieldsOf(document, way, depth + 1);
    if (fields.length > 0) return fields;
  }
  return [];
}

/** An example of a schema: its own, its default, or one that its type suggests. Fields that need not be are left out where some must be. */
export function exampleOf(document, schema, depth = 0) {
  schema = whole(document, schema);
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (depth >= deepest) return null;
  const ways = schema.oneOf ?? schema.anyOf;
  if (ways) return exampleOf(document, ways[0], depth + 1);
  const type = [schema.type ?? (schema.properties ? "object" : "string")].flat()[0];
  switch (type) {
    case "object": {
      const fields = fieldsOf(document, schema);
      const some = fields.filter((field) => field.required);
      return Object.fromEntries((some.length ? some : fields).map((field) => [field.name, exampleOf(document, field.schema, depth + 1)]));
    }
    case "array":
      return [exampleOf(document, schema.items ?? {}, depth + 1)];
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return "…";
  }
}

/** The example that a media type gives, or one made of its schema. */
export function mediaExample(document, media) {
  if (media.example !== undefined) return media.example;
  const [first] = Object.values(media.examples ?? {});
  if (first) return resolve(document, first).value;
  return media.schema ? exampleOf(document, media.schema) : undefined;
}

/** The curl command of an operation. */
export function curl(document, origin, method, path, operation, secured) {
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter));
  const value = (parameter) => String(parameter.example ?? exampleOf(document, parameter.schema ?? {}));
  let address = path;
  for (const parameter of parameters)
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value(parameter)));
  const query = parameters.filter((parameter) => parameter.in === "query" && (parameter.required || parameter.example !== undefined));
  if (query.length)
    address += "?" + query.map((parameter) => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(value(parameter))}`).join("&");
  const lines = [`curl ${quote(origin + address)}`];
  if (method !== "get" && method !== "post") lines.push(`-X ${method.toUpperCase()}`);
  if (secured) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  const body = resolve(document, operation.requestBody);
  const types = Object.keys(body.content ?? {});
  const form = types.find((type) => type.startsWith("multipart/"));
  const json = types.find((type) => type.includes("json"));
  const chosen = json ?? form ?? types[0];
  if (chosen === json && json) {
    lines.push(`-H ${quote("Content-Type: " + json)}`, `-d ${quote(JSON.stringify(mediaExample(document, body.content[json])))}`);
  } else if (chosen === form && form) {
    const fields = fieldsOf(document, body.content[form].schema ?? {});
    for (const field of fields.filter((field, i) => field.required || i < 2))
      lines.push(`-F ${quote(isFile(field.schema) ? `${field.name}=@photo.jpg` : `${field.name}=${exampleOf(document, field.schema)}`)}`);
  } else if (chosen) {
    lines.push(`-H ${quote("Content-Type: " + chosen)}`, "--data-binary @FILE");
  }
  return lines.join(" \\\n  ");
}

const isFile = (schema) => schema.format === "binary" || schema.contentMediaType !== undefined || schema.contentEncoding !== undefined;

/** A text as a shell's single argument. */
const quote = (text) => (/^[\w@%+=:,./?&-]+$/.test(text) && !/[?&]/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);
