// What a person should know: errors that say what to do, and the server's notes.
import { h } from "./dom.js";
import { bytes, percent, text } from "./language.js";

/** The keys of what is said about each kind of Failure: a title, and a sentence where the server's own does not say it better. */
const failures = {
  unreachable: ["errorUnreachable", "errorUnreachableWhat"],
  offline: ["errorOffline", "errorOfflineWhat"],
  timeout: ["errorTimeout", "errorTimeoutWhat"],
  tooLarge: ["errorTooLarge", "errorTooLargeWhat"],
  notPicture: ["errorNotPicture", "errorNotPictureWhat"],
  question: ["errorQuestion", null],
  busy: ["errorBusy", "errorBusyWhat"],
  token: ["errorToken", "errorTokenWhat"],
  server: ["errorServer", "errorServerWhat"],
  refused: ["errorRefused", null],
  unknown: ["errorUnknown", null],
  page: ["errorPage", null],
};

/** Kinds that may go better the next time. */
const again = new Set(["unreachable", "offline", "timeout", "busy", "token", "server"]);

export class Notices {
  constructor(container) {
    this.container = container;
    this.slots = new Map();
  }

  /** Puts an element in a slot, in place of what was there; null empties it. */
  set(slot, element) {
    this.slots.get(slot)?.remove();
    this.slots.delete(slot);
    if (!element) return;
    this.slots.set(slot, element);
    this.container.append(element);
  }

  /** Shows a Failure, with a button to try again if that may help. Another failure takes its place. */
  failure(failure, retry) {
    this.stopCounting();
    const [title, what] = failures[failure.kind] ?? failures.page;
    const countdown = h("p", { class: "countdown", hidden: true });
    const element = h(
      "div",
      { class: "notice bad", role: "alert" },
      h(
        "div",
        { class: "notice-text" },
        h("h2", {}, text(title)),
        what && h("p", {}, text(what)),
        failure.message && h("p", { class: "said", lang: "en" }, failure.message),
        countdown,
        failure.requestId && h("p", { class: "fine" }, text("requestId", { id: failure.requestId })),
      ),
      h(
        "div",
        { class: "row" },
        retry &&
          again.has(failure.kind) &&
          h("button", { type: "button", class: "primary", onclick: () => (this.clearFailure(), retry()) }, text("tryAgain")),
        h("button", { type: "button", class: "quiet", onclick: () => this.clearFailure() }, text("dismiss")),
      ),
    );
    this.set("failure", element);
    this.countdown = countdown;
  }

  /** Counts seconds down in the failure's notice, then calls done. */
  count(seconds, done) {
    const { countdown } = this;
    let left = Math.max(1, Math.ceil(seconds));
    const tick = () => {
      if (left <= 0) {
        this.clearFailure();
        done();
        return;
      }
      countdown.hidden = false;
      countdown.textContent = text("errorBusyWait", { n: left });
      left--;
      this.timer = setTimeout(tick, 1000);
    };
    tick();
  }

  stopCounting() {
    clearTimeout(this.timer);
  }

  clearFailure() {
    this.stopCounting();
    this.set("failure", null);
  }

  /** Says that a picture was made smaller. limit is in bytes, or null if the server did not say. */
  shrunk(shrunk, limit) {
    if (!shrunk) return this.set("shrunk", null);
    const values = { from: bytes(shrunk.from), to: bytes(shrunk.to), limit: limit && bytes(limit) };
    this.set("shrunk", h("div", { class: "notice" }, h("p", {}, text(limit ? "shrunk" : "shrunkUnknown", values))));
  }

  /** Shows the server's notes. Of an unfamiliar picture it says so first, and large. */
  notes(notes, familiarity) {
    const unfamiliar = familiarity !== undefined && familiarity !== null && familiarity < familiarEnough;
    if (!notes?.length && !unfamiliar) return this.set("notes", null);
    this.set(
      "notes",
      h(
        "div",
        { class: unfamiliar ? "notice warn" : "notice", role: "note", "aria-label": text("notes") },
        unfamiliar && h("h2", {}, text("unfamiliar")),
        unfamiliar && h("p", {}, text("unfamiliarWhat", { share: percent(familiarity) })),
        notes?.map((note) => h("p", { class: "said", lang: "en" }, note)),
      ),
    );
  }
}

/** From which familiarity on a picture may be taken for one that the model knows: package scenes' FamiliarEnough, as a test sees to. */
export const familiarEnough = 0.75;
