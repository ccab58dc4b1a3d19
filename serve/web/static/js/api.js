// The server's own API, as the page needs it.
import { tab } from "./storage.js";

/** How long the page waits for an answer, in milliseconds. */
const patience = 120_000;

/**
 * What went wrong: kind is one of unreachable, offline, timeout, cancelled, token, tooLarge, notPicture, question, busy, server, refused, unknown.
 * message is the server's own sentence, if it said one; retryAfter is in seconds.
 */
export class Failure extends Error {
  constructor(kind, { status = 0, code = "", message = "", requestId = "", retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { kind, status, code, requestId, retryAfter });
  }
}

export const token = {
  get: () => tab.get("token"),
  set: (value) => (value ? tab.set("token", value) : tab.remove("token")),
};

/** Asks the server. body is an object (sent as JSON) or a FormData. The response is parsed as JSON, or is a Blob if blob is set. */
export async function call(path, { body, signal, blob = false } = {}) {
  const headers = {};
  if (token.get()) headers.Authorization = "Bearer " + token.get();
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const timeout = AbortSignal.timeout(patience);
  const signals = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body,
      signal: signals,
      credentials: "same-origin",
    });
    if (!response.ok) throw await refusal(response);
    return blob ? await response.blob() : await response.json();
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (signal?.aborted) throw new Failure("cancelled");
    if (timeout.aborted) throw new Failure("timeout");
    if (error instanceof SyntaxError) throw new Failure("server", { message: `${path}: ${error.message}` });
    throw new Failure(navigator.onLine === false ? "offline" : "unreachable");
  }
}

/** A Failure from a response that is none of what was asked for. */
async function refusal(response) {
  let said = {};
  try {
    const value = await response.json();
    said = typeof value.error === "string" ? { message: value.error } : (value.error ?? {});
  } catch {
    // Not JSON: something between us and the server answered. The status says enough.
  }
  return new Failure(kindOf(response.status, said.code ?? ""), {
    status: response.status,
    code: said.code ?? "",
    message: said.message ?? "",
    requestId: response.headers.get("X-Request-Id") ?? said.request_id ?? "",
    retryAfter: seconds(response.headers.get("Retry-After")),
  });
}

function kindOf(status, code) {
  switch (status) {
    case 401:
    case 403:
      return "token";
    case 404:
      return "unknown";
    case 408:
    case 504:
      return "timeout";
    case 413:
      return "tooLarge";
    case 415:
      return "notPicture";
    case 429:
    case 503:
      return "busy";
    default:
      return status >= 500 ? "server" : "refused";
  }
}

/** Retry-After in seconds: it is a number of them, or a date. */
function seconds(value) {
  if (!value) return 0;
  const n = Number(value);
  if (Number.isFinite(n)) return Math.max(0, n);
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

export const models = (signal) => call("v1/models", { signal });
export const scene = (seed, signal) => call(`v1/scenes?seed=${seed}`, { signal, blob: true });
export const sceneQuestions = async (seed, signal) => (await call(`v1/scenes/questions?seed=${seed}`, { signal })).questions ?? [];

export const regions = (picture, fields, signal) => aboutPicture("v1/regions", picture, fields, signal);
export const answers = (picture, fields, signal) => aboutPicture("v1/answers", picture, fields, signal);
export const explanation = (picture, fields, signal) => aboutPicture("v1/explanations", picture, fields, signal);

/**
 * A request about a picture. One that the server has seen is named by its hash; if the server has forgotten it, it is sent again.
 * What cannot be read of a picture is told from what is wrong with a question by what was asked for.
 */
async function aboutPicture(path, picture, fields, signal) {
  let found;
  const model = fields.model ?? "";
  if (picture.hashes.has(model)) {
    try {
      found = await call(path, { body: { ...fields, image: "sha256:" + picture.hashes.get(model) }, signal });
    } catch (failure) {
      if (failure.code !== "picture_unknown") throw blame(failure, fields);
      picture.hashes.delete(model);
    }
  }
  if (!found) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("image", picture.file, picture.name);
    try {
      found = await call(path, { body: form, signal });
    } catch (failure) {
      throw blame(failure, fields);
    }
  }
  if (found.picture?.sha256) picture.hashes.set(model, found.picture.sha256);
  return found;
}

function blame(failure, fields) {
  if (failure.kind === "refused" && (failure.status === 422 || failure.status === 400))
    failure.kind = "question" in fields ? "question" : "notPicture";
  return failure;
}
