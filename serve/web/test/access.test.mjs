// axe-core on every state of both pages: no finding that is serious.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { ask, openPage, shoot, startBrowser, startServer, takePicture } from "./setup.mjs";

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Looks for what is serious or critical; what is minor is printed. */
async function check(page, where) {
  await page
    .evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))).then(() => {}), undefined)
    .catch(() => {});
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe); // through the debugger: the page's policy forbids a script element
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(
    (v) =>
      `${v.impact} ${v.id}: ${v.help}\n    ${v.nodes.map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join("\n    ")}`,
  );
  const serious = told.filter((line) => /^(serious|critical)/.test(line));
  assert.equal(serious.length, 0, `${where}:\n${serious.join("\n")}`);
  if (told.length > 0) console.log(`${where}, minor:\n${told.join("\n")}`);
}

for (const [name, options] of Object.entries({
  light: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  Chinese: { locale: "zh-CN" },
})) {
  test(`the page, ${name}`, async (t) => {
    const page = await openPage(t, browser, server.url, { allow: /Failed to load resource/, reducedMotion: "reduce", ...options });
    await page.locator(".thumb img").nth(5).waitFor();
    await check(page, "the start");
    await takePicture(page, "park.png");
    await page.locator(".chip").first().waitFor();
    await check(page, "the picture");
    await ask(page, "What color is the car?");
    await page.locator("summary").click();
    await check(page, "the answer");
    await page.locator(".word").nth(2).focus();
    await page.selectOption("#method", "maps");
    await page.locator("#map").waitFor();
    await check(page, "attention maps");
    await page.route("**/v1/answers", (route) => route.fulfill({ status: 500, json: { error: { code: "internal", message: "No." } } }), {
      times: 1,
    });
    await page.fill("#question", "Why?");
    await page.press("#question", "Enter");
    await page.locator(".notice.bad").waitFor();
    await check(page, "an error");
    await page.evaluate(() => document.getElementById("token").showModal());
    await check(page, "the token's dialog");
  });

  test(`the API's documentation, ${name}`, async (t) => {
    const page = await openPage(t, browser, server.url, { at: "/docs", reducedMotion: "reduce", ...options });
    await page.locator(".operation").first().waitFor();
    await check(page, "docs");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
    if (name === "light") await shoot(page, "docs");
  });
}

test("the API's documentation says everything that the document says", async (t) => {
  const page = await openPage(t, browser, server.url, { at: "/docs" });
  await page.locator(".operation").first().waitFor();
  const document = await (await page.request.get(server.url + "/openapi.json")).json();
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((key) => ["get", "post", "put", "delete"].includes(key))
      .map((method) => [method, path]),
  );
  assert.equal(await page.locator(".operation").count(), operations.length);
  const body = await page.locator("main").innerText();
  for (const [method, path] of operations)
    assert.ok(
      body.includes(`${method.toUpperCase()}\n${path}`) || body.includes(`${method.toUpperCase()} ${path}`),
      `${method} ${path} is missing`,
    );
  assert.doesNotMatch(body, /undefined|\[object/);
  const answers = page.locator("#post-v1-answers");
  assert.match(await answers.innerText(), /curl .*\/v1\/answers/);
  assert.match(await answers.innerText(), /question/);
  await page.locator(".contents a").nth(2).click();
  assert.match(page.url(), /#/);
});
