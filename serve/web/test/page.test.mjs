// The page in a real browser, with the real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ask,
  explained,
  openPage,
  picture,
  pictureBytes,
  shades,
  shoot,
  startBrowser,
  startServer,
  takePicture,
  takeScene,
} from "./setup.mjs";

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (t, options) => openPage(t, browser, server.url, options);
const best = (page) => page.locator(".best-name").innerText();

test("a drawn scene: regions, a question from those offered, the answer and why", async (t) => {
  const page = await open(t);
  await page.locator(".thumb img").nth(5).waitFor();
  await shoot(page, "start");
  await takeScene(page, 1);
  assert.equal(await page.locator("#main").getAttribute("data-state"), "asking");
  const labels = await page.locator(".plate").allInnerTexts();
  assert.ok(labels.includes("pink kite") && labels.includes("yellow cup"), `labels ${labels}`);
  await shoot(page, "regions");
  const question = await page.locator(".chip").first().innerText();
  await page.locator(".chip").first().click();
  await explained(page);
  assert.equal((await page.locator(".words").innerText()).trim(), question);
  assert.equal(await page.locator(".bar-row").count(), 5);
  const values = await page.locator(".bar-row").evaluateAll((rows) => rows.map((row) => Number(row.style.getPropertyValue("--share"))));
  assert.ok(values[0] > 0.5 && values.every((v, i) => v >= 0 && v <= 1 && (i === 0 || v <= values[i - 1])), `confidences ${values}`);
  assert.ok(Math.max(...(await shades(page, ".word"))) > 0.99, "no word is shaded");
  assert.ok(Math.max(...(await shades(page, ".region"))) > 0.99, "no region is shaded");
  assert.match(await page.locator(".readout").innerText(), /rests on/);
  await shoot(page, "answer");
});

test("a picture that is picked, and its answer is right", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  assert.equal(await best(page), "red");
  assert.match(await page.locator(".facts").innerText(), /park\.png · 320 × 240 pixels · 7 regions/);
  assert.match(await page.locator(".frame img").getAttribute("alt"), /park\.png.*red car/);
  assert.equal(await page.locator(".notice").count(), 0);
});

test("a picture that is pasted", async (t) => {
  const page = await open(t);
  await page.evaluate(transferred, ["paste", pictureBytes("table.png"), "table.png"]);
  await page.locator(".region").first().waitFor();
  assert.match(await page.locator(".facts").innerText(), /table\.png/);
});

test("a picture that is dropped, and something dropped that is none", async (t) => {
  const page = await open(t);
  await page.evaluate(transferred, ["dragenter", pictureBytes("harbor.png"), "harbor.png"]);
  assert.ok(await page.locator("#over").isVisible());
  await page.evaluate(transferred, ["drop", pictureBytes("harbor.png"), "harbor.png"]);
  assert.ok(await page.locator("#over").isHidden());
  await page.locator(".region").first().waitFor();
  assert.match(await page.locator(".facts").innerText(), /harbor\.png/);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/uri-list", "https://example.org/cat.jpg");
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  assert.match(await page.locator(".notice").innerText(), /Only picture files/);
});

/** Runs in the page: an event that brings a file. */
function transferred([type, base64, name]) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const init = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(
    type === "paste" ? new ClipboardEvent(type, { ...init, clipboardData: data }) : new DragEvent(type, { ...init, dataTransfer: data }),
  );
}

test("pointing at words and regions shows what they attend to", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  const [words, regions, says] = [await shades(page, ".word"), await shades(page, ".region"), await page.locator(".readout").innerText()];
  const car = page.locator(".word", { hasText: "car" });
  await car.hover();
  await page.locator(".word.here").waitFor();
  assert.notDeepEqual(await shades(page, ".region"), regions);
  assert.match(await page.locator(".readout").innerText(), /“car” attends to/);
  assert.match(await page.locator("#live").innerText(), /“car” attends to/);
  await shoot(page, "hover");
  await page.mouse.move(5, 5);
  assert.deepEqual(await shades(page, ".word"), words);
  assert.equal(await page.locator(".readout").innerText(), says);

  const region = page.getByRole("button", { name: /^red car/ }).first();
  await region.hover();
  await page.locator(".region.here").waitFor();
  assert.match(await page.locator(".readout").innerText(), /red car/);
  await region.click(); // it stays when the mouse has gone
  await page.mouse.move(5, 5);
  assert.equal(await region.getAttribute("aria-pressed"), "true");
  assert.equal(await page.locator(".region.here").count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".region.here").count(), 0);
  assert.deepEqual(await shades(page, ".region"), regions);
});

test("all of it by keyboard", async (t) => {
  const page = await open(t);
  await page.locator(".thumb img").first().waitFor();
  const tabTo = async (selector, most = 30) => {
    for (let i = 0; i < most; i++) {
      if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${selector}`);
  };
  await page.keyboard.press("Tab");
  assert.ok(
    await page.locator(".skip").evaluate((link) => link === document.activeElement && link.getBoundingClientRect().top >= 0),
    "the first Tab shows the link to the content",
  );
  await tabTo("#choose");
  await tabTo(".thumb");
  await page.keyboard.press("Enter");
  await page.locator(".region").first().waitFor();
  await page.locator("#question").waitFor();
  await tabTo("#question");
  await page.keyboard.type("How many things are there?");
  await page.keyboard.press("Enter");
  await explained(page);
  await tabTo(".word");
  const outline = await page.locator(".word:focus-visible").evaluate((word) => getComputedStyle(word).outlineStyle);
  assert.notEqual(outline, "none", "focus is not visible");
  const first = await page.locator(".word:focus").innerText();
  await page.keyboard.press("ArrowRight");
  const second = await page.locator(".word:focus").innerText();
  assert.notEqual(first, second);
  assert.match(await page.locator(".readout").innerText(), new RegExp(`“${second.toLowerCase()}”`));
  await page.keyboard.press("End");
  assert.equal(await page.locator(".word:focus").innerText(), "?");
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".word:focus").getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".word.here").count(), 0);
  await page.locator(".region[tabindex='0']").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator(".region.here").count(), 1);
  assert.ok(await page.locator(".region:focus .plate").isVisible());
  await tabTo(".bar-row", 60);
});

test("methods, layers, heads; another answer explained", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/v1/explanations") && asked.push(request.postDataJSON()));
  const methods = await page.locator("#method option").evaluateAll((all) => all.map((option) => option.value));
  assert.deepEqual(methods, [
    "relevance",
    "relevance_unnormalised",
    "relevance_no_self",
    "raw_attention",
    "rollout",
    "attention_gradcam",
    "maps",
  ]);
  const about = new Set();
  for (const method of methods.slice(1, -1)) {
    await page.selectOption("#method", method);
    await page.locator("#why:not(.loading)").waitFor();
    await page.waitForFunction(() => !document.querySelector("#send").hidden);
    about.add(await page.locator("#why .hint").first().innerText());
  }
  assert.equal(about.size, 5);
  assert.deepEqual(
    asked.map((body) => body.method),
    methods.slice(1, -1),
  );
  assert.ok(asked.every((body) => body.maps === "none" && body.image.startsWith("sha256:")));
  await page.selectOption("#method", "maps"); // the maps are fetched now, and not before
  await page.locator("#map").waitFor();
  assert.equal(asked.at(-1).maps, "all");
  assert.equal(await page.locator("#map option").count(), 2 + 1 + 3 * 4);
  assert.match(await page.locator("#map").inputValue(), /^cross_language\.2$/);
  assert.equal(await page.locator(".word.special").count(), 2);
  const mean = await shades(page, ".region");
  await page.selectOption("#head", "3");
  assert.notDeepEqual(await shades(page, ".region"), mean);
  await page.locator(".word", { hasText: "car" }).hover();
  assert.match(await page.locator(".readout").innerText(), /“car” attends to/);
  await shoot(page, "maps");
  await page.selectOption("#map", "language.0");
  assert.ok(Math.max(...(await shades(page, ".word"))) === 1);
  assert.ok((await shades(page, ".region")).every((shade) => shade === 0));
  assert.equal(asked.length, 6, "maps that are there are not fetched again");
  await page.selectOption("#method", "relevance");
  await page.locator(".bar-row").nth(1).click();
  await page.waitForFunction(() => document.querySelectorAll(".bar-row")[1].getAttribute("aria-pressed") === "true");
  const name = await page.locator(".bar-name").nth(1).innerText();
  await page.locator(".readout", { hasText: `“${name}” rests on` }).waitFor();
});

test("what was asked before is asked again", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  await ask(page, "How many trees are there?");
  await takePicture(page, "table.png");
  await page.locator(".facts", { hasText: "table.png" }).waitFor();
  await ask(page, "How many things are there?");
  assert.deepEqual(await page.locator(".past-question").allInnerTexts(), [
    "How many things are there?",
    "How many trees are there?",
    "What color is the car?",
  ]);
  await page.locator(".past").nth(2).click();
  await page.locator(".facts", { hasText: "park.png" }).waitFor();
  await page.locator(".words", { hasText: "What color is the car?" }).waitFor();
  await explained(page);
  assert.equal(await best(page), "red");
  assert.equal(await page.locator(".past").count(), 3, "it moves to the top and is not there twice");
  assert.equal(await page.locator(".past-question").first().innerText(), "What color is the car?");
  await shoot(page, "history", { fullPage: true });
  await page.locator("#history .quiet").click();
  assert.ok(await page.locator("#history").isHidden());
});

test("labels and shading can be turned off", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  assert.equal(
    await page
      .locator(".plate")
      .first()
      .evaluate((plate) => getComputedStyle(plate).pointerEvents),
    "auto",
  );
  await page.getByRole("button", { name: "Labels" }).click();
  await page.waitForFunction(() => [...document.querySelectorAll(".plate")].every((plate) => getComputedStyle(plate).opacity === "0"));
  await ask(page, "What color is the car?");
  await page.getByRole("button", { name: "Shading" }).click();
  await page.waitForFunction(() => getComputedStyle(document.querySelector(".veil")).opacity === "0");
});

test("the veil is as fine as the screen", async (t) => {
  const page = await open(t, { deviceScaleFactor: 2 });
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  const [pixels, size] = await page.locator(".veil").evaluate((canvas) => [canvas.width, canvas.clientWidth]);
  assert.equal(pixels, Math.round(2 * size));
});

test("all that is drawn is in tables too", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await page.locator("summary").click();
  const regions = page.getByRole("table", { name: /Regions/ });
  assert.equal(await regions.locator("tbody tr").count(), 7);
  assert.match(await regions.innerText(), /red car/);
  await ask(page, "What color is the car?");
  assert.match(await regions.locator("thead").innerText(), /Relevance/);
  assert.equal(await page.getByRole("table", { name: /Words/ }).locator("tbody tr").count(), 6);
});

test("an unfamiliar picture: it says so before all else", async (t) => {
  const page = await open(t);
  const base64 = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 240];
    const context = canvas.getContext("2d");
    for (let y = 0; y < 240; y += 4)
      for (let x = 0; x < 320; x += 4) {
        context.fillStyle = `rgb(${40 + ((x * 7 + y * 3) % 70)} ${60 + ((x * y) % 40)} ${30 + ((y * 5) % 60)})`;
        context.fillRect(x, y, 4, 4);
      }
    return canvas.toDataURL("image/png").split(",")[1];
  });
  await page.setInputFiles("#file", { name: "moss.png", mimeType: "image/png", buffer: Buffer.from(base64, "base64") });
  await page.locator(".notice.warn").waitFor();
  assert.match(await page.locator(".notice.warn h2").innerText(), /does not know such pictures/);
  assert.match(await page.locator(".notice.warn .said").first().innerText(), /drawn scene/);
  await ask(page, "What color is the car?");
  assert.ok(await page.locator(".notice.warn").isVisible());
  const [share, was] = await page
    .locator(".bar-row")
    .first()
    .evaluate((row) => [row.style.getPropertyValue("--share"), row.style.getPropertyValue("--was")].map(Number));
  assert.ok(share < was, `confidence ${share}, probability ${was}`);
  await shoot(page, "unfamiliar");
});

test("a picture that the server has forgotten is sent again", async (t) => {
  const page = await open(t, { allow: /404/ });
  await takePicture(page, "park.png");
  let forms = 0;
  await page.route("**/v1/answers", (route) => {
    if (route.request().headers()["content-type"].startsWith("multipart/")) {
      forms++;
      return route.continue();
    }
    return route.fulfill({ status: 404, json: { error: { code: "picture_unknown", message: "Send it again." } } });
  });
  await ask(page, "What color is the car?");
  assert.equal(await best(page), "red");
  assert.equal(forms, 1);
});

test("light and dark: the system's, and a switch that is remembered", async (t) => {
  const page = await open(t, { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await takeScene(page, 1);
  await page.locator(".chip").nth(1).click();
  await explained(page);
  await page.mouse.move(2, 2);
  await shoot(page, "dark");
  await page.click("#theme");
  const light = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await paper(), light);
  await page.click("#theme");
  assert.equal(await paper(), dark);
});

test("Chinese: the browser's language, a switch, no English left", async (t) => {
  const page = await open(t, { locale: "zh-CN" });
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hans");
  assert.equal(await page.locator("h1").innerText(), "向图片提问");
  await takeScene(page, 1);
  await page.locator(".chip").first().click();
  await explained(page);
  await page.mouse.move(2, 2);
  await shoot(page, "chinese");
  // What is not marked as English, nor a name, is in Chinese.
  const left = await page.evaluate(() => {
    const out = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (element.closest("[lang=en], script, noscript, #language, .mark, .readout, #live, tbody, option") || !element.checkVisibility())
        continue;
      if (/[A-Za-z]{4,}/.test(node.data) && !/[\u4e00-\u9fff]/.test(node.data)) out.push(node.data.trim());
    }
    return out;
  });
  assert.deepEqual(left, []);
  await page.click("#language");
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
  assert.match(await page.locator(".readout").innerText(), /rests on/);
  assert.equal(await page.title(), "LXMERT: ask a picture");
  await page.reload();
  assert.equal(await page.locator("h1").innerText(), "Ask a picture");
});

test("a phone: nothing is wider than the screen, and a tap shows what a word attends to", async (t) => {
  const page = await open(t, { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  const fits = async (what) =>
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} is wider than the screen`);
  await page.locator(".thumb img").nth(5).waitFor();
  await fits("the start");
  await shoot(page, "phone-start");
  await takeScene(page, 1);
  await fits("the picture");
  await page.locator(".chip").first().tap();
  await explained(page);
  await fits("the answer");
  const before = await shades(page, ".region");
  await page.locator(".word").nth(1).tap();
  await page.locator(".word.here").waitFor();
  assert.notDeepEqual(await shades(page, ".region"), before);
  await page.locator(".word.here").tap();
  assert.equal(await page.locator(".word.here").count(), 0);
  await page.evaluate(() => scrollTo(0, 0));
  await shoot(page, "phone");
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, select, a")]
      .filter((e) => e.checkVisibility() && !e.closest(".regions, .words, .foot, .skip"))
      .filter((e) => e.getBoundingClientRect().height < 24)
      .map((e) => e.outerHTML.slice(0, 80)),
  );
  assert.deepEqual(small, [], "too small for a finger");
  await page.locator("summary").tap();
  await fits("the table");
});

test("several models: the card of each, and the question goes to the chosen one", async (t) => {
  const two = await startServer("--model", "first=shipped/qa", "--model", "second=shipped/qa");
  t.after(() => two.stop());
  const page = await openPage(t, browser, two.url);
  await page.click("#card-open");
  assert.match(await page.locator("#card").innerText(), /first[^]*classifier[^]*answer questions[^]*Parameters[^]*2,098,859/);
  await shoot(page, "card");
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#card").isHidden());
  await takePicture(page, "park.png");
  await ask(page, "What color is the car?");
  const asked = [];
  await page.route(/v1\/(regions|answers)$/, (route) => {
    const body = route.request().postDataBuffer().toString("latin1"); // JSON, or a form with the file
    asked.push(`${route.request().url().split("/").pop()} ${/"model"(?::"|\r\n\r\n)(\w+)/.exec(body)?.[1]}`);
    return route.continue();
  });
  await page.selectOption("#model", "second");
  await page.waitForFunction(() => !document.querySelector("#send").hidden && document.querySelector(".word"));
  assert.deepEqual(asked, ["regions second", "answers second"]);
  assert.equal(await best(page), "red");
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
});

test("another picture of the same name can be chosen", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await page.locator(".facts", { hasText: "park.png" }).waitFor();
  await page.setInputFiles("#file", picture("park.png"));
  await page.locator(".region").first().waitFor();
});
