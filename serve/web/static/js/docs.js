// The API's documentation, made of /openapi.json.
import { call, Failure } from "./api.js";
import { byId, h } from "./dom.js";
import { languageButton, text } from "./language.js";
import { Notices } from "./notices.js";
import { curl, fieldsOf, limitsOf, mediaExample, resolve, typeOf } from "./schema.js";
import { themeButton } from "./theme.js";
import { askToken } from "./token.js";
import { token } from "./api.js";

const methods = ["get", "post", "put", "patch", "delete", "head", "options"];

/** How deep the fields of fields are shown. */
const deepest = 5;

let description = null; // the OpenAPI document

async function load() {
  try {
    description = await call("openapi.json");
    show();
  } catch (failure) {
    if (failure.kind === "token" && (await askToken(Boolean(token.get())))) return load();
    const place = h("div", {});
    byId("main").replaceChildren(h("h1", {}, text("docsTitle")), place);
    new Notices(place).failure(failure instanceof Failure ? failure : new Failure("page", { message: String(failure) }), load);
  }
}

/** A description: what stands between backticks is code. */
const rich = (description) => description.split(/`([^`]+)`/).map((part, i) => (i % 2 ? h("code", {}, part) : part));

/** Operations by their first tag, in the order of the document. */
function groups() {
  const out = new Map((description.tags ?? []).map((tag) => [tag.name, { tag, operations: [] }]));
  for (const [path, item] of Object.entries(description.paths ?? {})) {
    for (const method of methods.filter((method) => item[method])) {
      const operation = { ...item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])] };
      const name = operation.tags?.[0] ?? text("docsOther");
      if (!out.has(name)) out.set(name, { tag: { name }, operations: [] });
      out.get(name).operations.push({ method, path, operation, id: anchor(method, path) });
    }
  }
  return [...out.values()].filter((group) => group.operations.length > 0);
}

const anchor = (method, path) => (method + path).replace(/[^a-z0-9]+/gi, "-").replace(/-$/, "");

function show() {
  const all = groups();
  byId("contents").replaceChildren(
    ...all.flatMap(({ tag, operations }) => [
      h("h2", { lang: "en" }, tag.name),
      ...operations.map(({ method, path, id }) =>
        h("a", { href: "#" + id }, h("span", { class: "method" }, method.toUpperCase()), h("span", { class: "path" }, path)),
      ),
    ]),
  );
  const { info = {} } = description;
  byId("main").replaceChildren(
    h("h1", {}, text("docsTitle")),
    h("p", { class: "fine version" }, `${info.title ?? ""} ${info.version ?? ""} · OpenAPI ${description.openapi ?? ""}`),
    info.description ? h("p", { class: "about", lang: "en" }, rich(info.description)) : "",
    ...all.map(({ tag, operations }) =>
      h(
        "section",
        { class: "group" },
        h("h2", { lang: "en" }, tag.name),
        tag.description && h("p", { class: "about", lang: "en" }, rich(tag.description)),
        operations.map(operationArticle),
      ),
    ),
  );
  if (location.hash) byId(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function operationArticle({ method, path, operation, id }) {
  const parameters = operation.parameters.map((parameter) => resolve(description, parameter));
  const body = resolve(description, operation.requestBody);
  const security = operation.security ?? description.security ?? [];
  const secured = security.some((way) => Object.keys(way).length > 0);
  return h(
    "article",
    { class: "operation", id, lang: "en" },
    h(
      "h3",
      {},
      h("span", { class: "method" }, method.toUpperCase()),
      h("a", { href: "#" + id, class: "path" }, path),
      operation.deprecated && h("span", { class: "field-must" }, text("docsDeprecated")),
    ),
    operation.summary && h("p", { class: "summary" }, operation.summary),
    operation.description && h("p", { class: "about" }, rich(operation.description)),
    parameters.length > 0 && [h("h4", {}, text("docsParameters")), h("div", { class: "fields" }, parameters.map(parameterRow))],
    body.content && [h("h4", {}, text("docsBody")), mediaTypes(body.content, true)],
    h("h4", {}, text("docsExample")),
    code(curl(description, new URL(".", location.href).href.replace(/\/$/, ""), method, path, operation, secured)),
    h("h4", {}, text("docsResponses")),
    Object.entries(operation.responses ?? {}).map(([status, response]) => responseRow(status, resolve(description, response))),
  );
}

const parameterRow = (parameter) =>
  fieldRow(
    {
      name: parameter.name,
      schema: { ...parameter.schema, description: parameter.description ?? parameter.schema?.description },
      required: parameter.required,
    },
    0,
    text("docsIn", { place: parameter.in }),
  );

/** The media types of a body, with their fields and an example of each. The first is open. */
function mediaTypes(content, open) {
  return Object.entries(content).map(([type, media], i) => {
    const fields = media.schema ? fieldsOf(description, media.schema) : [];
    const example = type.includes("json") ? mediaExample(description, media) : undefined;
    return h(
      "details",
      { class: "media", open: open && i === 0 },
      h("summary", {}, type),
      media.schema && fields.length === 0 && h("p", { class: "field-type" }, typeOf(description, media.schema)),
      fields.length > 0 &&
        h(
          "div",
          { class: "fields" },
          fields.map((field) => fieldRow(field, 0)),
        ),
      example !== undefined && [h("h4", {}, text("docsExample")), code(JSON.stringify(example, null, 2))],
    );
  });
}

function fieldRow({ name, schema, required }, depth, place) {
  const inner = depth < deepest ? fieldsOf(description, schema) : [];
  const limits = limitsOf(description, schema);
  const about = resolve(description, schema).description;
  return h(
    "div",
    { class: "field-row" },
    h(
      "div",
      { class: "field-head" },
      h("span", { class: "field-name" }, name),
      h("span", { class: "field-type" }, typeOf(description, schema)),
      place && h("span", { class: "field-type" }, place),
      required && h("span", { class: "field-must" }, text("docsRequired")),
    ),
    about && h("p", { class: "field-about" }, rich(about)),
    limits.length > 0 && h("p", { class: "field-more" }, limits.join(" · ")),
    inner.length > 0 &&
      h(
        "div",
        { class: "fields" },
        inner.map((field) => fieldRow(field, depth + 1)),
      ),
  );
}

function responseRow(status, response) {
  const content = Object.entries(response.content ?? {});
  return h(
    "div",
    { class: "response" },
    h("span", { class: "status" }, status),
    h("span", {}, rich(response.description ?? "")),
    content.length > 0 && mediaTypes(response.content, false),
  );
}

/** A block of code with a button that copies it. */
function code(content) {
  const button = h("button", { type: "button", class: "quiet copy" }, text("docsCopy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(content);
      button.textContent = text("docsCopied");
      byId("live").textContent = text("docsCopied");
      setTimeout(() => (button.textContent = text("docsCopy")), 2000);
    } catch {
      getSelection().selectAllChildren(block); // no clipboard without https: the text is selected for who copies by hand
    }
  });
  const block = h("pre", { tabindex: "0", role: "group", "aria-label": text("docsExample") }, h("code", {}, content));
  return h("div", { class: "code" }, block, button);
}

languageButton(byId("language"));
themeButton(byId("theme"));
document.addEventListener("lxmert:language", () => description && show());
load();
