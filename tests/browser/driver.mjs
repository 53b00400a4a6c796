// The one driver of the browser tests: a server on a fresh store, the system's Chromium, and a watch on every page.
//
// Environment: THROUGHLINE_BIN (the program; default target/release/throughline), CHROMIUM (default /usr/bin/chromium).
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { writeLayers } from "./layers.mjs";

const fromStatic = createRequire(new URL("../../static/package.json", import.meta.url));

/** Loads a development dependency of the map application. */
export const load = (name) => import(pathToFileURL(fromStatic.resolve(name)).href);

const PROGRAM =
  process.env.THROUGHLINE_BIN ?? fileURLToPath(new URL("../../target/release/throughline", import.meta.url));
const READY_WITHIN_MS = 30_000;
const WAIT_MS = 30_000;

const run = promisify(execFile);

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** What is still to be done if the run is broken off: a server would outlive it. */
const leftovers = new Set();
process.on("exit", () => leftovers.forEach((tidy) => tidy()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/**
 * Starts the program on a new store: with the generated layers and `more` of them ({ id, title, path }), or with the
 * synthetic national set.
 */
export async function startServer(more = [], national = false) {
  const folder = await mkdtemp(join(tmpdir(), "throughline-browser-"));
  const store = join(folder, "store.gpkg");
  let program = null;
  const tidy = () => {
    program?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  leftovers.add(tidy);
  if (national) await run(PROGRAM, ["demo", store]);
  for (const { id, title, path } of national ? more : [...(await writeLayers(folder)), ...more]) {
    await run(PROGRAM, ["import", store, path, "--into", id, "--title", title, "--open"]);
  }
  const port = await freePort();
  const serve = ["serve", "--demo", store, "--listen", `127.0.0.1:${port}`, "--log", "error"];
  program = spawn(PROGRAM, serve, { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  const late = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(({ ok }) => ok, () => false);
    if (ready) break;
    assert.ok(Date.now() < late && program.exitCode === null, "the server does not get ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    async stop() {
      const gone = once(program, "exit");
      program.kill("SIGTERM");
      await gone;
      await rm(folder, { recursive: true, force: true });
      leftovers.delete(tidy);
    },
  };
}

export async function startBrowser() {
  const { chromium } = (await load("playwright-core")).default;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // No machine of the tests has a graphics card.
    args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
}

/** Everything on a page that must not be: messages, errors, violations, requests to others. */
function watch(page, origin) {
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (asked !== origin && !["data:", "blob:"].includes(protocol)) faults.push(`foreign request: ${request.url()}`);
  });
  return faults;
}

let server;
let nation;
let browser;

export async function start(more = []) {
  server = await startServer(more);
  nation = await startServer([], true);
  browser = await startBrowser();
}

export async function stop() {
  await browser?.close();
  await server?.stop();
  await nation?.stop();
}

/** An answer of the server with the national set. */
export const askNation = async (path) => (await fetch(nation.url + path)).json();

export const address = () => server.url;

/** The three sizes that the page is made for, and a smaller wide one: a software renderer pays for every pixel. */
export const SIZES = { wide: [1440, 900], middling: [1024, 768], narrow: [390, 844], usual: [1200, 720] };

/**
 * Opens the application and gives the page to `body`. Fails for any message, error, violation of the content security
 * policy or request to another host, in every test, also if `body` fails for something else. `before` gets the page
 * before the application is on it; `national` takes the server with the synthetic national set, `at` another address; `as` is the
 * role that the page is viewed as ({ role, reason }), else the national analyst.
 */
export async function browse({ size = "usual", theme = "light", hash = "", settings = {}, national = false, at, as, before }, body) {
  const url = at ?? (national ? nation : server).url;
  const [width, height] = SIZES[size];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    hasTouch: size === "narrow",
    reducedMotion: "reduce",
    ...settings,
  });
  context.setDefaultTimeout(WAIT_MS);
  // A violation is no console message of its own in all cases.
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  const cookie = ([name, value]) => ({ name: `throughline-${name}`, value: encodeURIComponent(value), url });
  if (as) await context.addCookies(Object.entries(as).map(cookie));
  const page = await context.newPage();
  const faults = watch(page, new URL(url).origin);
  try {
    await before?.(page);
    await page.goto(`${url}/${hash}`);
    await body(page);
  } catch (failure) {
    if (faults.length > 0) failure.message += `\nand the page said:\n${faults.join("\n")}`;
    throw failure;
  } finally {
    await context.close();
  }
  assert.deepEqual(faults, []);
}

/** Asks until the answer passes: a picture follows what was done only when the renderer gets to it. */
export async function eventually(ask, passes, what) {
  const late = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
    assert.ok(Date.now() < late, `${what}, but it was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const TILE_PX = 512;

/** West, south, east, north of what the map shows with `view` (lon, lat, zoom) in the middle, by Web Mercator alone. */
export async function boxOf(page, [lon, lat, zoom]) {
  const { width, height } = await page.locator("#map").boundingBox();
  const world = TILE_PX * 2 ** zoom;
  const y = Math.asinh(Math.tan((lat * Math.PI) / 180));
  const latitude = (pixels) => (Math.atan(Math.sinh(y + (pixels / world) * 2 * Math.PI)) * 180) / Math.PI;
  const dx = (width / 2 / world) * 360;
  return [lon - dx, latitude(-height / 2), lon + dx, latitude(height / 2)];
}

/** Degrees of longitude in one pixel. */
export const pixelDegrees = (zoom) => 360 / (TILE_PX * 2 ** zoom);

/** Waits until the map has drawn all it has to draw. */
export async function drawn(page) {
  // What was just done may not have reached the map yet.
  await page.waitForTimeout(200);
  await page.locator("#map[data-idle=true]").waitFor();
}

/** Waits until the table has the rows of what the map shows. */
export async function listed(page) {
  await drawn(page);
  // The table asks only when the map has come to rest.
  await page.waitForTimeout(400);
  await page.locator("[role=tabpanel][aria-busy=false]").waitFor();
  await page.getByText(/ in view/).waitFor();
}

/** The picture of the map, or of a part of the page: how many different colours, and the share of each ("#rrggbb"). */
export async function colours(page, clip) {
  const picture = clip ? page.screenshot({ clip }) : page.locator("#map").screenshot();
  const png = (await picture).toString("base64");
  // A page of its own: the application's policy does not let pictures be read back.
  const reader = await page.context().newPage();
  const counts = await reader.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const pixels = new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer);
    const found = new Map();
    for (const pixel of pixels) found.set(pixel, (found.get(pixel) ?? 0) + 1);
    return [...found].map(([pixel, count]) => [pixel, count / pixels.length]);
  }, png);
  await reader.close();
  const hex = (pixel) =>
    `#${[0, 8, 16].map((shift) => ((pixel >>> shift) & 255).toString(16).padStart(2, "0")).join("")}`;
  return new Map(counts.map(([pixel, share]) => [hex(pixel), share]));
}
