// The page when things go wrong. The faults are put between the page and the real server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, explained, openPage, shoot, startBrowser, startServer, takePicture } from "./setup.mjs";

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (t, options) => openPage(t, browser, server.url, { allow: /Failed to load resource/, ...options });

/** Answers the first n requests to a path with a refusal, in the server's form. */
async function refuse(page, path, n, status, { code = "x", message = "A sentence of the server’s.", headers = {} } = {}) {
  let left = n;
  await page.route("**" + path, (route) => {
    if (left-- <= 0) return route.continue();
    return route.fulfill({
      status,
      headers: { "X-Request-Id": "REQ7", ...headers },
      json: { error: { code, message, request_id: "REQ7" } },
    });
  });
}

const notice = (page) => page.locator(".notice.bad");

test("a file that is no picture", async (t) => {
  const page = await open(t);
  await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /not a picture that can be read/);
  assert.ok((await notice(page).locator(".said").innerText()).length > 5, "the server's own sentence is missing");
  await shoot(page, "no-picture");
  await takePicture(page, "park.png"); // goes on
  assert.equal(await notice(page).count(), 0);
});

for (const status of [415, 422]) {
  test(`${status} for a picture`, async (t) => {
    const page = await open(t);
    await refuse(page, "/v1/regions", 1, status);
    await page.setInputFiles("#file", { name: "a.png", mimeType: "image/png", buffer: Buffer.from("x") });
    await notice(page).waitFor();
    assert.match(await notice(page).innerText(), /not a picture that can be read[^]*A sentence of the server’s\./);
  });
}

test("422 for a question: the question is to blame, not the picture", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await refuse(page, "/v1/answers", 1, 422);
  await page.fill("#question", "why?");
  await page.press("#question", "Enter");
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /question was not accepted/);
});

test("413: the picture is made smaller, and that is told", async (t) => {
  const page = await open(t);
  const sizes = [];
  await page.route("**/v1/regions", (route) => {
    const size = route.request().postDataBuffer().length;
    sizes.push(size);
    if (sizes.length < 3) return route.fulfill({ status: 413, json: { error: { code: "too_large", message: "Too large." } } });
    return route.continue();
  });
  const base64 = await page.evaluate(bigPicture, 2600);
  await page.setInputFiles("#file", { name: "big.png", mimeType: "image/png", buffer: Buffer.from(base64, "base64") });
  await page.locator(".region").first().waitFor();
  assert.equal(sizes.length, 3);
  assert.ok(sizes[0] > sizes[1] && sizes[1] > sizes[2], `sizes ${sizes}`);
  assert.match(await page.locator(".notice", { hasText: "made smaller" }).innerText(), /[\d.]+ [kM]B became [\d.]+ [kM]B/);
});

test("413 that nothing helps against", async (t) => {
  const page = await open(t);
  await refuse(page, "/v1/regions", 99, 413);
  const base64 = await page.evaluate(bigPicture, 900);
  await page.setInputFiles("#file", { name: "big.png", mimeType: "image/png", buffer: Buffer.from(base64, "base64") });
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /picture is too large/);
});

test("a limit that the server tells is kept before anything is sent", async (t) => {
  const page = await open(t, { at: "/docs" });
  await page.route("**/v1/models", (route) =>
    route.fulfill({ json: { object: "list", data: [{ id: "one" }], limits: { file_bytes: 100_000 } } }),
  );
  const sizes = [];
  page.on("request", (request) => request.url().endsWith("/v1/regions") && sizes.push(request.postDataBuffer().length));
  await page.goto(server.url + "/");
  await page.locator("#card-open").waitFor();
  const base64 = await page.evaluate(bigPicture, 1500);
  await page.route("**/v1/regions", async (route) => {
    sizes.push(route.request().postDataBuffer().length);
    await route.fulfill({
      json: { model: "one", picture: { sha256: "0", width: 10, height: 10 }, regions: [{ box: [0, 0, 0.5, 0.5], label: "thing" }] },
    });
  });
  await page.setInputFiles("#file", { name: "big.png", mimeType: "image/png", buffer: Buffer.from(base64, "base64") });
  await page.locator(".region").first().waitFor();
  assert.ok(
    sizes.every((size) => size < 100_000 + 2000),
    `sizes ${sizes}`,
  );
  assert.match(await page.locator(".notice").first().innerText(), /\(98 kB\)/);
});

/** Runs in the page: a PNG of noise, which is large. */
async function bigPicture(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const data = context.createImageData(side, side);
  let state = 1;
  for (let i = 0; i < data.data.length; i++)
    data.data[i] = i % 4 === 3 ? 255 : ((state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16) & 63;
  context.putImageData(data, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}

test("429: the seconds are counted down, then it goes on by itself", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await refuse(page, "/v1/answers", 1, 429, { code: "busy", headers: { "Retry-After": "2" } });
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await page.locator(".countdown", { hasText: "2 s" }).waitFor();
  await shoot(page, "busy");
  await page.locator(".countdown", { hasText: "1 s" }).waitFor();
  await explained(page);
  assert.equal(await page.locator(".best-name").innerText(), "red");
  assert.equal(await notice(page).count(), 0);
});

test("401: a token is asked for, kept for the tab, and sent", async (t) => {
  const page = await open(t);
  const headers = [];
  await page.route("**/v1/**", (route) => {
    const sent = route.request().headers().authorization;
    headers.push(sent);
    if (sent !== "Bearer right")
      return route.fulfill({ status: 401, json: { error: { code: "unauthorized", message: "A token is wanted." } } });
    return route.continue();
  });
  await page.reload();
  await page.locator("#token-value").waitFor();
  await shoot(page, "token");
  await page.fill("#token-value", "wrong");
  await page.press("#token-value", "Enter");
  await page.locator("#token-wrong").waitFor();
  await page.fill("#token-value", "right");
  await page.press("#token-value", "Enter");
  await page.locator("#token").waitFor({ state: "hidden" });
  await page.locator(".thumb img").nth(5).waitFor();
  await takePicture(page, "park.png");
  assert.equal(headers.at(-1), "Bearer right");
  const stored = await page.evaluate(() => [sessionStorage.getItem("lxmert.token"), JSON.stringify(localStorage)]);
  assert.equal(stored[0], "right");
  assert.ok(!stored[1].includes("right"), "the token outlives the tab");
  assert.ok(!page.url().includes("right"));
});

test("401 that is given up", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await refuse(page, "/v1/answers", 1, 401);
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await page.locator("#token-cancel").click();
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /A token is needed/);
});

test("500: kind words and the request's id; trying again helps", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await refuse(page, "/v1/answers", 1, 500, { code: "internal" });
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /went wrong at the server[^]*Request REQ7/);
  assert.equal(await notice(page).getAttribute("role"), "alert");
  await shoot(page, "server-error");
  await page.getByRole("button", { name: "Try again" }).click();
  await explained(page);
  assert.equal(await notice(page).count(), 0);
});

test("504, and something that is not JSON", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await page.route("**/v1/answers", (route) => route.fulfill({ status: 504, contentType: "text/html", body: "<h1>Gateway</h1>" }), {
    times: 1,
  });
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /took too long/);
  await page.route(
    "**/v1/answers",
    (route) => route.fulfill({ status: 200, contentType: "text/html", body: "<h1>Welcome to the hotel’s network</h1>" }),
    { times: 1 },
  );
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".notice.bad", { hasText: "went wrong at the server" }).waitFor();
});

test("offline", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  await page.context().setOffline(true);
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /You are offline/);
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await explained(page);
});

test("a server that is gone, and comes back", async (t) => {
  const own = await startServer();
  const page = await openPage(t, browser, own.url, { allow: /Failed to load resource/ });
  await takePicture(page, "park.png");
  await own.stop();
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await notice(page).waitFor();
  assert.match(await notice(page).innerText(), /server does not answer[^]*still here/);
  await shoot(page, "no-server");
  const port = new URL(own.url).port;
  const again = await startServer("--addr", `127.0.0.1:${port}`);
  t.after(() => again.stop());
  await page.getByRole("button", { name: "Try again" }).click(); // the new one has never seen the picture: it is sent again
  await explained(page);
  assert.equal(await page.locator(".best-name").innerText(), "red");
});

test("a request that takes long can be cancelled, by button and by Escape", async (t) => {
  const page = await open(t);
  await takePicture(page, "park.png");
  let pending = [];
  await page.route("**/v1/answers", (route) => void pending.push(route));
  for (const cancel of [() => page.click("#cancel"), () => page.keyboard.press("Escape")]) {
    await page.fill("#question", "What color is the car?");
    await page.press("#question", "Enter");
    await page.locator("#cancel").waitFor();
    assert.equal(await page.locator(".pending").innerText(), "Thinking…");
    await cancel();
    await page.locator("#send").waitFor();
    assert.equal(await notice(page).count(), 0);
    assert.ok(await page.locator("#question").evaluate((input) => input === document.activeElement));
    await page.locator("#live", { hasText: "Cancelled" }).waitFor({ state: "attached" });
  }
  await page.unroute("**/v1/answers");
  await ask(page, "What color is the car?");
});

test("a question that is asked while the picture is looked at waits for it", async (t) => {
  const page = await open(t);
  let go;
  const held = new Promise((resolve) => (go = resolve));
  await page.route("**/v1/regions", async (route) => {
    await held;
    await route.continue();
  });
  await page.setInputFiles("#file", {
    name: "park.png",
    mimeType: "image/png",
    buffer: (await import("node:fs")).readFileSync((await import("./setup.mjs")).picture("park.png")),
  });
  await page.fill("#question", "What color is the car?");
  await page.press("#question", "Enter");
  await shoot(page, "looking");
  go();
  await explained(page);
  assert.equal(await page.locator(".best-name").innerText(), "red");
});
