// The page and its map: it draws, it is small, its address holds what it shows.
import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { SIZES, browse, colours, drawn, eventually } from "./driver.mjs";

const LAND = { light: "#f7f7f4", dark: "#1a2430" };
const SEA = { light: "#dfe7ec", dark: "#0f1720" };
/** The names and nothing that covers land. */
const BARE = "#l=places";
const SOLENT = "v=-1.1,50.9,10.5";

/** Waits for the picture that the map must come to: land, sea, and many colours more. */
const showsCountry = (page, theme) =>
  eventually(
    async () => {
      const found = await colours(page);
      return { colours: found.size, land: found.get(LAND[theme]), sea: found.get(SEA[theme]) };
    },
    (found) => found.colours > 200 && found.land > 0.08 && found.sea > 0.3,
    "land, sea and names show",
  );

test("the country is drawn, light, and turns dark with the system", async () => {
  await browse({ size: "wide", theme: "light", hash: BARE }, async (page) => {
    await drawn(page);
    await showsCountry(page, "light");
    await page.getByRole("heading", { level: 1, name: "Throughline" }).waitFor();
    await page.getByText("© OpenStreetMap contributors").first().waitFor();
    await page.emulateMedia({ colorScheme: "dark" });
    await showsCountry(page, "dark");
  });
});

test("the bare address opens the country, dark, with the usual layers and at most 460 kB of script", async () => {
  await browse({ size: "wide", theme: "dark" }, async (page) => {
    await drawn(page);
    await assertSmall(page);
    await showsCountry(page, "dark");
    for (const name of [/^Places/, /^Railway stations/, /Seen points/, /Walked lines/, /Watched areas/]) {
      assert.ok(await page.getByRole("checkbox", { name }).isChecked(), `${name} is on`);
    }
    await page.waitForURL(/#v=-[23]\.[^&]*,5\d\.[^&]*,[45]\.[^&]*&l=/);
  });
});

test("the marking is the server's, on top of the page at every size, and said to be lost when it is", async () => {
  let answer = { marking: "OFFICIAL-SENSITIVE · MADE BY A TEST" };
  const session = (page) =>
    page.route("**/api/session", (route) =>
      answer ? route.fulfill({ json: answer }) : route.fulfill({ contentType: "text/html", body: "<p>a proxy</p>" }),
    );
  await browse({ hash: "#l=" }, async (page) => {
    const marking = page.getByRole("note", { name: "Protective marking" });
    await eventually(() => marking.innerText(), (text) => text === "OFFICIAL · SYNTHETIC DATA", "as the server says");
    await session(page);
    await page.reload();
    await eventually(() => marking.innerText(), (text) => text === answer.marking, "as the answer says");
    for (const [width, height] of Object.values(SIZES)) {
      await page.setViewportSize({ width, height });
      assert.deepEqual(await marking.boundingBox(), { x: 0, y: 0, width, height: 24 });
      assert.ok(await marking.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth), "whole");
    }
    answer = null;
    await page.reload();
    await eventually(() => marking.innerText(), (text) => text === "MARKING NOT KNOWN", "no marking is made up");
    await page.getByRole("alert").filter({ hasText: "Treat it as the highest you know" }).waitFor();
  });
});

/** Length of a file as it is served to who accepts gzip. */
const gzipLength = (url) =>
  new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": "gzip" } }, (response) => {
      response.resume();
      assert.equal(response.headers["content-encoding"], "gzip", url);
      resolve(Number(response.headers["content-length"]));
    }).on("error", reject);
  });

/** Everything that was loaded until the map showed, the map's worker too. */
async function assertSmall(page) {
  const [scripts, all] = await page.evaluate(() => {
    const [{ startTime: shown }] = performance.getEntriesByName("map-shown");
    const found = performance.getEntriesByType("resource").filter(({ name }) => /\.m?js$/.test(name));
    return [found.filter(({ startTime }) => startTime < shown), found].map((entries) => entries.map(({ name }) => name));
  });
  assert.ok(scripts.some((name) => name.includes("worker")), "the worker counts too");
  const total = async (names) =>
    (await Promise.all(names.map(gzipLength))).reduce((sum, length) => sum + length, 0);
  const before = await total(scripts);
  assert.ok(before > 100_000 && before <= 460_000, `${before} bytes before the map shows`);
  const whole = await total(all);
  assert.ok(whole >= before && whole <= 520_000, `${whole} bytes in all`);
}

test("a layer goes off and on, in the picture and in the address", async () => {
  await browse({ hash: `#${SOLENT}&l=watched-areas` }, async (page) => {
    await drawn(page);
    const land = async () => (await colours(page)).get(LAND.light);
    const before = await land();
    const box = page.getByRole("checkbox", { name: /Watched areas/ });
    await box.uncheck();
    await eventually(land, (share) => share > before + 0.002, `land shows where areas were: more than ${before}`);
    await page.waitForURL(/[#&]l=(&|$)/);
    await page.goBack();
    await page.waitForURL(/[#&]l=watched-areas/);
    await eventually(() => box.isChecked(), Boolean, "Back brings the layer back");
    await eventually(land, (share) => Math.abs(share - before) < 0.001, `the areas are back: ${before}`);
  });
});

test("the address is what the page shows, and survives a reload: view, layers, selection, table", async () => {
  const hash = `#${SOLENT}&l=places,stations&s=stations:PMS&tab=table`;
  await browse({ hash }, async (page) => {
    const heading = page.getByRole("complementary", { name: "Details" }).getByRole("heading", { level: 2 });
    const scale = page.getByRole("img", { name: /^Scale/ });
    const shows = async () => {
      await drawn(page);
      await heading.filter({ hasText: "Portsmouth & Southsea" }).waitFor();
      assert.ok(await page.getByRole("checkbox", { name: /Railway stations/ }).isChecked());
      assert.ok(!(await page.getByRole("checkbox", { name: /Seen points/ }).isChecked()));
      await page.getByRole("tabpanel").waitFor();
      return { fragment: await page.evaluate(() => location.hash), scale: await scale.getAttribute("aria-label") };
    };
    const first = await shows();
    assert.equal(first.fragment, hash, "the page opens where the address says");
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/#v=-1\.1,50\.9,11\.5&/);
    const moved = await shows();
    assert.notEqual(moved.scale, first.scale);
    await page.reload();
    assert.deepEqual(await shows(), moved);
  });
});

test("moving replaces the address, and Back goes to the change before", async () => {
  await browse({ hash: `#${SOLENT}&l=places` }, async (page) => {
    await drawn(page);
    const length = await page.evaluate(() => history.length);
    await page.getByRole("checkbox", { name: /Seen points/ }).check();
    await page.waitForURL(/l=places,seen-points/);
    for (const zoom of [/v=[^&]*,11\.5/, /v=[^&]*,12\.5/]) {
      await page.getByRole("button", { name: "Zoom in" }).click();
      await page.waitForURL(zoom);
    }
    assert.equal(await page.evaluate(() => history.length), length + 1, "one entry for the layer, none for moving");
    await page.goBack();
    await page.waitForURL(/v=[^&]*,10\.5&l=places$/);
    await eventually(() => page.getByRole("checkbox", { name: /Seen points/ }).isChecked(), (on) => !on, "off again");
    const scale = page.getByRole("img", { name: /^Scale/ });
    await page.goForward();
    await page.waitForURL(/v=[^&]*,12\.5&l=places,seen-points$/);
    await eventually(() => scale.getAttribute("aria-label"), (said) => /is 1 mile|is [\d,]+ yards/.test(said), "close again");
  });
});

test("without WebGL 2 the page says so, and search, details and tables work", async () => {
  const before = (page) =>
    page.addInitScript(() => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === "webgl2" ? null : original.call(this, kind, ...rest);
      };
    });
  await browse({ hash: "#s=stations:WAT", before }, async (page) => {
    await page.getByText("This browser cannot draw the map").waitFor();
    assert.equal(await page.locator("canvas").count(), 0);
    await page.getByRole("heading", { name: /Waterloo/ }).waitFor();
    await page.getByRole("tab", { name: "Railway stations" }).click();
    await page.getByText(/^2,\d{3} in all, 100 shown$/).waitFor();
    await page.getByRole("tab", { name: "Walked lines" }).click();
    await page.getByText(/^140 in all, 100 shown$/).waitFor();
    await page.getByRole("button", { name: "Show more rows" }).click();
    await page.getByText(/^140 in all$/).waitFor();
    await page.getByRole("combobox", { name: "Search" }).fill("PMS");
    await page.getByRole("option", { name: /Portsmouth & Southsea/ }).click();
    await page.getByRole("heading", { name: "Portsmouth & Southsea" }).waitFor();
  });
});

test("what fails is said in words, and the rest works", async () => {
  await browse({ hash: `#${SOLENT}&l=places` }, async (page) => {
    await drawn(page);
    // Answered by the test, so that no failure is written to the console.
    await page.route("**/ogc/collections/places/items/**", (route) =>
      route.fulfill({ status: 200, contentType: "text/html", body: "<p>a proxy in between</p>" }),
    );
    await page.evaluate(() => {
      location.hash = "#l=places&s=places:2639996";
    });
    await page.getByRole("alert").filter({ hasText: "could not be opened" }).waitFor();
    await page.getByRole("button", { name: "Close this message" }).click();
    await page.getByRole("button", { name: "Zoom in" }).click();
  });
});

