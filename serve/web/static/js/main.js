// The page: what is chosen, what is asked, and what is shown of the answers.
import * as api from "./api.js";
import { answerName, answerParts, answerSure } from "./answer.js";
import { fillCard, openCard } from "./card.js";
import { byId, h } from "./dom.js";
import { History } from "./history.js";
import { languageButton, percent, text } from "./language.js";
import { Notices } from "./notices.js";
import { Picture, pictureIn, shrink } from "./pictures.js";
import { shading, strongest } from "./relevance.js";
import { Scenes } from "./scenes.js";
import { regionName, Stage } from "./stage.js";
import { Tables } from "./tables.js";
import { themeButton } from "./theme.js";
import { askToken } from "./token.js";
import { firstMap, Why } from "./why.js";
import { Words } from "./words.js";

// What there is at the moment.
const now = {
  models: [], // as /v1/models lists them
  limits: null, // what the server says that it takes, null if it does not
  model: "", // the chosen one's id
  picture: null,
  look: null, // what the server saw in it
  question: "",
  result: null, // the answers to the question
  timing: null,
  explanations: new Map(), // of this result: by method, answer and whether the maps are there
  explanation: null, // the one that is shown
  explained: null, // the answer it is about
  view: { method: "relevance", map: null, head: "mean" },
  pointed: null, // the word or region under the mouse, or with the keyboard's focus
  kept: null, // the one that stays
};

languageButton(byId("language")); // before anything is built of strings
const notices = new Notices(byId("notices"));
const stage = new Stage(byId("stage"), {
  point: (index, begins) => point("regions", index, begins),
  pin: (index) => pin("regions", index),
  other: () => byId("file").click(),
});
const words = new Words({ point: (index, begins) => point("words", index, begins), pin: (index) => pin("words", index) });
const why = new Why(byId("why"), { change: (view) => changeView(view) });
const tables = new Tables(byId("tables"));
const history = new History(byId("history"), { again: askAgain, inUse: (picture) => picture === now.picture || picture.seed !== null });
const scenes = new Scenes(byId("scenes"), byId("scenes-other"), {
  take: (picture) => take(picture),
  failed: (failure, retry) => failed(failure, retry),
});

// ---- One thing at a time ----

let running = null; // the AbortController of what is under way
let attempts = 0; // at what failed because the server was busy

/**
 * Runs a task that asks the server; what was under way is given up. Failures are shown, with the task as what to try again. A task that fails because a token
 * is wanted is tried again when there is one, and one that finds the server busy after the time that the server names.
 */
async function run(task) {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  notices.clearFailure();
  working(true);
  try {
    await task(controller.signal);
    attempts = 0;
  } catch (failure) {
    if (running === controller) await failed(failure, () => run(task));
  } finally {
    if (running === controller) {
      running = null;
      working(false);
    }
  }
}

async function failed(failure, retry) {
  if (!(failure instanceof api.Failure)) {
    console.error(failure);
    failure = new api.Failure("page", { message: String(failure?.message ?? failure) });
  }
  if (failure.kind === "cancelled") {
    announce(text("cancelled"));
    return;
  }
  if (failure.kind === "token" && (await tokenGiven())) {
    retry();
    return;
  }
  if (!now.result) byId("answer").hidden = true; // nobody is thinking any more
  notices.failure(failure, retry);
  if (failure.kind === "busy" && attempts < 5) {
    attempts++;
    notices.count(failure.retryAfter || 2 ** attempts, retry);
  }
}

let asking = null; // the dialog that is open: several requests may be refused at once

function tokenGiven() {
  asking ??= askToken(Boolean(api.token.get())).finally(() => (asking = null));
  return asking;
}

function cancel() {
  running?.abort();
  running = null;
  working(false);
  notices.clearFailure();
  attempts = 0;
}

function working(on) {
  byId("send").hidden = on;
  byId("cancel").hidden = !on;
  byId("main").classList.toggle("working", on);
  byId("answer").setAttribute("aria-busy", String(on));
}

/** Says something to who does not see the page. */
function announce(sentence) {
  const live = byId("live");
  live.textContent = "";
  requestAnimationFrame(() => (live.textContent = sentence));
}

// ---- A picture ----

/** Takes a file as the picture. */
function takeFile(file) {
  if (file) take(new Picture(file));
}

/** Shows a picture and lets the server look at it; then a question that waits is asked. */
function take(picture, question = "") {
  if (
    now.picture &&
    now.picture !== picture &&
    now.picture.seed === null &&
    !history.entries.some((entry) => entry.picture === now.picture)
  )
    now.picture.forget();
  Object.assign(now, { picture, look: picture.looks.get(now.model) ?? null });
  forgetAnswer();
  now.question = question;
  byId("main").dataset.state = "asking";
  byId("drop").hidden = true;
  byId("stage").hidden = byId("asking").hidden = byId("tables").hidden = false;
  showPicture();
  notices.shrunk(picture.shrunk, now.limits?.file_bytes);
  run(async (signal) => {
    const look = picture.looks.get(now.model) ?? (await seen(picture, signal));
    if (now.picture !== picture) return;
    now.look = look;
    showPicture();
    announce(look.regions.length === 1 ? text("regionFound") : text("regionsFound", { n: look.regions.length }));
    loadTries(picture);
    if (now.question) await answer(now.question, signal);
  });
  if (!question && matchMedia("(hover: hover)").matches) byId("question").focus({ preventScroll: true });
  byId("stage").scrollIntoView({ block: "nearest" });
}

/** Lets the server look at a picture. One that it finds too large is made smaller until it takes it. */
async function seen(picture, signal) {
  const limit = now.limits?.file_bytes ?? null;
  const smaller = async (failure) => {
    try {
      await shrink(picture, limit);
    } catch {
      throw failure;
    }
    notices.shrunk(picture.shrunk, limit);
  };
  if (limit && picture.file.size > limit) await smaller(new api.Failure("tooLarge"));
  for (;;) {
    try {
      const look = await api.regions(picture, modelField(), signal);
      picture.looks.set(now.model, look);
      return look;
    } catch (failure) {
      // A server that refuses a large body may hang up before it has been sent, and then no answer arrives.
      const hungUp = failure.kind === "unreachable" && picture.file.size > 4 << 20 && (await alive());
      if (failure.kind !== "tooLarge" && !hungUp) throw failure;
      await smaller(hungUp ? new api.Failure("tooLarge") : failure);
    }
  }
}

/** Whether the server answers at all. */
const alive = () =>
  api.models().then(
    () => true,
    () => false,
  );

const modelField = () => (now.model ? { model: now.model } : {});

function showPicture() {
  stage.show(now.picture, now.look);
  notices.notes(now.look?.notes, now.look?.picture?.familiarity);
  showShading();
}

/** How many questions are offered. */
const offers = 4;

const asSentence = (question) => question[0].toUpperCase() + question.slice(1);

/** Offers questions: the server's about a drawn scene, or ones about what was found. */
async function loadTries(picture) {
  if (picture.questions.length === 0) {
    try {
      picture.questions =
        picture.seed === null
          ? questionsAbout(now.look)
          : (await api.sceneQuestions(picture.seed)).map(asSentence).filter((question) => question.length < 56);
    } catch {
      picture.questions = questionsAbout(now.look); // offers are not worth an error
    }
  }
  if (now.picture !== picture) return;
  byId("tries").replaceChildren(
    ...picture.questions
      .slice(0, offers)
      .map((question) => h("button", { type: "button", class: "chip", lang: "en", onclick: () => ask(question) }, question)),
  );
}

function questionsAbout(look) {
  const named = (look?.regions ?? []).filter((region) => region.object?.name && region.box[2] - region.box[0] < 0.9);
  const names = [...new Set(named.toSorted((a, b) => b.object.confidence - a.object.confidence).map((region) => region.object.name))];
  const [first, second] = names;
  return [first && `What color is the ${first}?`, second && `Is there a ${second}?`, first && `How many things are there?`].filter(Boolean);
}

// ---- A question ----

function ask(question) {
  question = question.trim();
  if (!question || !now.picture) {
    byId("question").focus();
    return;
  }
  byId("question").value = question;
  now.question = question;
  if (!now.look) {
    if (!running) take(now.picture, question);
    return; // it is asked when the picture has been looked at
  }
  run((signal) => answer(question, signal));
}

function askAgain(picture, question) {
  byId("question").value = question;
  if (picture !== now.picture || !now.look) take(picture, question);
  else ask(question);
}

function forgetAnswer() {
  Object.assign(now, { result: null, timing: null, explanation: null, explained: null, pointed: null, kept: null });
  now.explanations = new Map();
  byId("answer").hidden = byId("why").hidden = true;
}

async function answer(question, signal) {
  const { picture } = now;
  forgetAnswer();
  now.question = question;
  showAnswer();
  showShading();
  const response = await api.answers(picture, { ...modelField(), question, top_k: 5 }, signal);
  const [result] = response.results;
  Object.assign(now, { result, timing: response.timing, explained: result.answers[0] });
  notices.notes(response.notes, response.picture?.familiarity);
  history.add(picture, question, result.answers[0]);
  showAnswer();
  announce(text("answerIs", { answer: answerName(result.answers[0]), sure: percent(answerSure(result.answers[0])) }));
  await explain(signal);
}

/** Fetches the explanation that the view and the chosen answer want, unless it is there. */
async function explain(signal) {
  const { picture, question, view, explained, explanations } = now;
  const key = JSON.stringify([view.method, explained.id, Boolean(view.map)]);
  if (!explanations.has(key)) {
    byId("why").classList.add("loading");
    try {
      const fields = {
        ...modelField(),
        question,
        method: view.method,
        maps: view.map ? "all" : "none",
        answer: explained.answer || explained.id,
      };
      const response = await api.explanation(picture, fields, signal);
      if (response.timing?.explain_ms) now.timing = { ...now.timing, explain_ms: response.timing.explain_ms };
      explanations.set(key, response.explanation);
    } finally {
      byId("why").classList.remove("loading");
    }
  }
  if (now.explanations !== explanations) return; // another question was asked meanwhile
  now.explanation = explanations.get(key);
  if (now.view.map && !now.explanation.maps?.some((map) => map.name === now.view.map))
    now.view = { ...now.view, map: firstMap(now.explanation), head: "mean" };
  showAnswer();
  showShading();
}

function changeView(view) {
  Object.assign(now, { view, pointed: null, kept: null });
  why.show(view, now.explanation);
  run(explain);
}

function explainAnswer(answer) {
  now.explained = answer;
  now.kept = null;
  run(explain);
}

// ---- What is shown ----

function showAnswer() {
  const article = byId("answer");
  article.hidden = false;
  const focused = article.contains(document.activeElement) ? [...article.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  words.show(now.question, now.explanation?.tokens ?? null, Boolean(now.view.map));
  if (!now.result) {
    article.replaceChildren(words.element, h("p", { class: "best pending" }, text("thinking")));
    return;
  }
  article.replaceChildren(
    ...answerParts({
      words: words.element,
      result: now.result,
      timing: now.timing,
      explained: now.explained?.id,
      explain: explainAnswer,
    }).filter(Boolean),
  );
  if (focused >= 0) article.querySelectorAll("button")[focused]?.focus();
  byId("why").hidden = false;
  why.show(now.view, now.explanation);
}

function showShading() {
  const { explanation, view, look } = now;
  const regions = look?.regions ?? [];
  if (!explanation) {
    const region = now.pointed?.kind === "regions" ? now.pointed.index : null;
    stage.shade(null, region);
    stage.say(region === null ? "" : stage.name(region));
    tables.show(regions, null, null);
    return;
  }
  const focus = now.pointed ?? now.kept;
  const shown = shading(explanation, view, focus);
  const at = (kind) => (focus?.kind === kind ? focus.index : null);
  stage.shade(shown.regions ?? regions.map(() => 0), at("regions"), focus !== null && focus === now.kept);
  words.shade(shown.words ?? [], at("words"), focus !== null && focus === now.kept);
  const sentence = readout(shown, explanation, regions);
  stage.say(sentence);
  if (focus) announce(sentence);
  if (!focus || focus === now.kept) tables.show(regions, explanation.tokens, shown);
}

/** The shading in a sentence: what is strongest in it. */
function readout(shown, { tokens }, regions) {
  const word = (i) => text("quoted", { word: tokens[i].text });
  const region = (i) => regionName(regions[i], i);
  const list = [...strongest(shown.regions, 3).map(region), ...strongest(shown.words, shown.regions ? 2 : 3).map(word)].join(
    text("listComma"),
  );
  const name = shown.focus && (shown.focus.kind === "words" ? word : region)(shown.focus.index);
  if (!list) return name ? text("readoutNothing", { name }) : "";
  return text(shown.says, { name, list, answer: now.explained ? answerName(now.explained) : "" });
}

// ---- Pointing ----

function point(kind, index, begins) {
  if (begins) now.pointed = { kind, index };
  else if (now.pointed?.kind === kind && now.pointed.index === index) now.pointed = null;
  else return;
  showShading();
}

function pin(kind, index) {
  const same = now.kept?.kind === kind && now.kept.index === index;
  now.pointed = null;
  now.kept = same ? null : { kind, index };
  showShading();
}

function letGo() {
  if (!now.pointed && !now.kept) return false;
  now.pointed = now.kept = null;
  showShading();
  return true;
}

// ---- The server's models ----

async function loadModels() {
  try {
    const list = await api.models();
    now.models = list.data ?? [];
    now.limits = list.limits ?? null;
    if (!now.models.some((model) => model.id === now.model)) now.model = now.models[0]?.id ?? "";
    showModels();
  } catch (failure) {
    if (failure.kind !== "unknown") await failed(failure, start); // a server without a list has a model all the same
  }
}

function showModels() {
  byId("model-choice").hidden = now.models.length < 2;
  byId("card-open").hidden = now.models.length === 0;
  byId("model").replaceChildren(...now.models.map((model) => h("option", { value: model.id }, model.id)));
  byId("model").value = now.model;
}

const card = () => now.models.find((model) => model.id === now.model);

// ---- Beginning ----

async function start() {
  await loadModels();
  await scenes.load(scenes.seeds);
}

byId("model").addEventListener("change", (event) => {
  now.model = event.target.value;
  if (now.picture) take(now.picture, now.result ? now.question : ""); // another model may have another detector
});
byId("card-open").addEventListener("click", () => openCard(byId("card"), card()));
byId("choose").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => {
  takeFile(event.target.files[0]);
  event.target.value = ""; // so that the same file can be chosen again
});
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(byId("question").value);
});
byId("cancel").addEventListener("click", () => {
  cancel();
  announce(text("cancelled"));
  if (!now.result) byId("answer").hidden = true;
  byId("question").focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (!letGo() && running) byId("cancel").click();
});

document.addEventListener("paste", (event) => {
  const file = pictureIn(event.clipboardData);
  if (!file || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  takeFile(file);
});

let depth = 0; // of elements that the dragged thing has entered and not left
const dragging = (event) => [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/uri-list");
const over = (on) => (byId("over").hidden = !on);
document.addEventListener("dragenter", (event) => {
  if (dragging(event)) over(++depth > 0);
});
document.addEventListener("dragleave", (event) => {
  if (dragging(event)) over((depth = Math.max(0, depth - 1)) > 0);
});
document.addEventListener("dragover", (event) => {
  if (dragging(event)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!dragging(event)) return;
  event.preventDefault();
  over((depth = 0) > 0);
  const file = pictureIn(event.dataTransfer);
  if (file) takeFile(file);
  else notices.failure(new api.Failure("notPicture", { message: text("onlyFiles") }));
});

document.addEventListener("lxmert:language", () => {
  stage.translate();
  scenes.show();
  history.show();
  if (byId("card").open) fillCard(byId("card"), card());
  if (now.picture) notices.notes(now.look?.notes, now.look?.picture?.familiarity);
  if (now.result) showAnswer();
  if (now.picture) showShading();
});

themeButton(byId("theme"));
start();
