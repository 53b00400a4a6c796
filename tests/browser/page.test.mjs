// The page and its map: it draws, it is small, its address holds what it shows.
import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { browse, colours, drawn } from "./driver.mjs";

const LAND = { light: "#f7f7f4", dark: "#1a2430" };
const SEA = { light: "#dfe7ec", dark: "#0f1720" };
/** The names and nothing that covers land. */
const BARE = "#l=places";
const SOLENT = "v=-1.1,50.9,10.5";

for (const theme of ["light", "dark"]) {
  const andSmall = theme === "light" ? ", with at most 460 kB of script" : "";
  test(`the country is drawn, ${theme}${andSmall}`, async () => {
    await browse({ theme, hash: BARE }, async (page) => {
      await drawn(page);
      const found = await colours(page);
      assert.ok(found.size > 200, `${found.size} colours`);
      assert.ok(found.get(LAND[theme]) > 0.08, `land ${found.get(LAND[theme])}`);
      assert.ok(found.get(SEA[theme]) > 0.3, `sea ${found.get(SEA[theme])}`);
      await page.getByRole("heading", { level: 1, name: "Throughline" }).waitFor();
      const marking = page.getByRole("note", { name: "Protective marking" });
      assert.match(await marking.innerText(), /^OFFICIAL · SYNTHETIC DATA$/);
      await page.getByText("© OpenStreetMap contributors").first().waitFor();
      if (theme === "light") await assertSmall(page);
    });
  });
}

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
  const scripts = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => /\.m?js$/.test(name)),
  );
  assert.ok(scripts.some((name) => name.includes("worker")), "the worker counts too");
  const lengths = await Promise.all(scripts.map(gzipLength));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  assert.ok(total > 100_000 && total <= 460_000, `${total} bytes`);
}

test("a layer goes off and on, in the picture and in the address", async () => {
  await browse({ hash: `#${SOLENT}&l=watched-areas` }, async (page) => {
    await drawn(page);
    const before = await colours(page);
    const box = page.getByRole("checkbox", { name: /Watched areas/ });
    await box.uncheck();
    await drawn(page);
    const without = await colours(page);
    assert.ok(without.get(LAND.light) > before.get(LAND.light) + 0.002, "land shows where areas were");
    await page.waitForURL(/[#&]l=(&|$)/);
    await page.goBack();
    await page.waitForURL(/[#&]l=watched-areas/);
    await drawn(page);
    assert.ok(await box.isChecked(), "Back brings the layer back");
    assert.ok(Math.abs((await colours(page)).get(LAND.light) - before.get(LAND.light)) < 0.001);
  });
});

test("the address survives a reload: view, layers, selection, table", async () => {
  const hash = `#${SOLENT}&l=places,stations&s=stations:PMS&tab=table`;
  await browse({ hash }, async (page) => {
    await drawn(page);
    const drawer = page.getByRole("complementary", { name: "Details" });
    await drawer.getByRole("heading", { name: "Portsmouth & Southsea" }).waitFor();
    const scale = await page.getByRole("img", { name: /^Scale/ }).getAttribute("aria-label");
    const fragment = await page.evaluate(() => location.hash);
    await page.reload();
    await drawn(page);
    await drawer.getByRole("heading", { name: "Portsmouth & Southsea" }).waitFor();
    assert.equal(await page.evaluate(() => location.hash), fragment);
    assert.equal(await page.getByRole("img", { name: /^Scale/ }).getAttribute("aria-label"), scale);
    assert.ok(await page.getByRole("checkbox", { name: /Railway stations/ }).isChecked());
    assert.ok(!(await page.getByRole("checkbox", { name: /Seen points/ }).isChecked()));
    await page.getByRole("tabpanel").waitFor();
  });
});

test("moving replaces the address, so Back leaves to the selection before", async () => {
  await browse({ hash: `#${SOLENT}&l=places` }, async (page) => {
    await drawn(page);
    const length = await page.evaluate(() => history.length);
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/v=[^&]*,11\.5/);
    assert.equal(await page.evaluate(() => history.length), length);
  });
});

test("without WebGL 2 the page says so, and tables and details work", async () => {
  await browse({ hash: "#s=stations:WAT" }, async (page) => {
    await page.addInitScript(() => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === "webgl2" ? null : original.call(this, kind, ...rest);
      };
    });
    await page.reload();
    await page.getByText("This browser cannot draw the map").waitFor();
    await page.getByRole("heading", { name: /Waterloo/ }).waitFor();
    await page.getByRole("tab", { name: "Railway stations" }).click();
    await page.getByText(/^2,\d{3} in all$/).waitFor();
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

