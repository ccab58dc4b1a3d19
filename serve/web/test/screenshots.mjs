// Makes the pictures of the page in docs/images: npm run screenshots. With pngquant on the machine they are made small.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { ask, root, startBrowser, startServer, takeScene } from "./setup.mjs";

const images = path.join(root, "docs/images");
mkdirSync(images, { recursive: true });

const server = await startServer();
const browser = await startBrowser();

/** Takes one picture: options are a browser profile's, act does on the page what is to be seen. */
async function shot(name, options, act) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    deviceScaleFactor: 1.5,
    locale: "en-US",
    colorScheme: "light",
    ...options,
  });
  const page = await context.newPage();
  await page.goto(server.url + (options.at ?? "/"));
  await act(page);
  const file = path.join(images, name + ".png");
  await page.screenshot({ path: file, animations: "disabled" });
  await context.close();
  try {
    execFileSync("pngquant", ["--force", "--strip", "--speed", "1", "--output", file, "160", file]);
  } catch (error) {
    console.error(`${file} stays as it is: ${error.message}`);
  }
}

const biggest = async (page) => {
  await takeScene(page, 3);
  await ask(page, "How many things are red?");
  await ask(page, "What color is the car?");
  await ask(page, "What is the biggest thing?");
  await page.evaluate(() => document.activeElement.blur());
  await page.mouse.move(2, 2);
};

await shot("page", {}, biggest);
await shot("page-dark", { colorScheme: "dark" }, async (page) => {
  await takeScene(page, 5);
  await ask(page, "What is above the mushroom?");
  await page.selectOption("#method", "maps");
  await page.locator("#map").waitFor();
  await page.locator(".word", { hasText: "mushroom" }).hover();
});
await shot("page-chinese", { locale: "zh-CN" }, biggest);
const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
await shot("page-phone", phone, async (page) => {
  await biggest(page);
  await page.evaluate(() => scrollTo(0, 0));
});
await shot("page-api", { at: "/docs" }, (page) => page.locator(".operation").first().waitFor());

await browser.close();
await server.stop();
