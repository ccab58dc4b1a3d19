// What the tests stand on: the server, a browser, and pages that are watched for what must not happen.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The root of the repository. */
export const root = path.resolve(here, "../../..");

/** Where pictures of the page are written. */
export const screenshots = process.env.SCREENSHOTS ?? path.join(here, "screenshots");
mkdirSync(screenshots, { recursive: true });

/** The browser's program: $CHROMIUM, or where distributions put it. */
export const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (file) => file && existsSync(file),
);

let binary = process.env.LXMERT; // the command, built beforehand

/** Starts a server on a free port of this machine; further flags are those of lxmert serve. */
export async function startServer(...flags) {
  if (!binary) {
    const directory = mkdtempSync(path.join(tmpdir(), "lxmert-page-"));
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
    binary = path.join(directory, "lxmert");
    execFileSync("go", ["build", "-o", binary, "./cmd/lxmert"], { cwd: root, stdio: "inherit" });
  }
  const child = spawn(binary, ["serve", "--addr", "127.0.0.1:0", "--log-level", "error", ...flags], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /listening on (\S+?)\/?$/.exec(line);
      if (found) resolve(found[1]);
    });
    child.once("error", reject);
    ended.then((code) => reject(new Error(`the server ended with ${code}`)));
  });
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export const startBrowser = () => chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

/** A picture of the repository. */
export const picture = (name) => path.join(root, "examples", name);
export const pictureBytes = (name) => readFileSync(picture(name)).toString("base64");

/**
 * A page of a fresh browser profile. When the test ends nothing may have gone wrong in it: no error on the console or in a script, no request to elsewhere,
 * nothing that the content security policy had to stop. Failing requests that a test provokes are named by allow, a pattern of the console's messages.
 */
export async function openPage(t, browser, url, { allow, at = "/", ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-US", colorScheme: "light", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !allow?.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`script: ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url + "/") && !/^(blob|data):/.test(request.url()))
      wrong.push(`a request to elsewhere: ${request.url()}`);
  });
  await page.exposeFunction("__violated", (what) => wrong.push(`content security policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      window.__violated(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
    );
  });
  t.after(async () => {
    await context.close();
    if (wrong.length > 0) throw new Error("the page is not clean:\n" + wrong.join("\n"));
  });
  await page.goto(url + at);
  return page;
}

/** Chooses the nth drawn scene and waits until its regions are there. */
export async function takeScene(page, n = 0) {
  await page.locator(".thumb").nth(n).locator("img").waitFor();
  await page.locator(".thumb").nth(n).click();
  await page.locator(".region").first().waitFor();
  await page.locator(".chip").first().waitFor();
}

/** Chooses a picture of the repository. */
export async function takePicture(page, name) {
  await page.setInputFiles("#file", picture(name));
  await page.locator(".region").first().waitFor();
}

/** Asks, and waits for the answer and its explanation. */
export async function ask(page, question) {
  await page.fill("#question", question);
  await page.press("#question", "Enter");
  await page.locator(".words", { hasText: question }).waitFor();
  await explained(page);
}

/** Waits until the question's words are shaded. */
export async function explained(page) {
  await page.locator(".word").first().waitFor();
  await page.locator("#send").waitFor();
}

/** The numbers by which words or regions are shaded. */
export const shades = (page, selector) =>
  page.locator(selector).evaluateAll((all) => all.map((element) => Number(element.style.getPropertyValue("--shade"))));

/** Writes a picture of the page. */
export const shoot = (page, name, options) =>
  page.screenshot({ path: path.join(screenshots, name + ".png"), animations: "disabled", ...options });
