// The table is the map in words: the same features, and each lights the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { boxOf, browse, drawn, eventually, listed, load, pixelDegrees } from "./driver.mjs";

const MIDDLE = [-1.1, 50.88, 10.6];
const VIEW = `v=${MIDDLE}`;
const { VectorTile } = await load("@mapbox/vector-tile");
const { PbfReader } = await load("pbf");

/** West, south, east, north of a GeoJSON geometry. */
function extent({ coordinates }) {
  const flat = coordinates.flat(Infinity);
  const [lons, lats] = [flat.filter((_, at) => at % 2 === 0), flat.filter((_, at) => at % 2 === 1)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

const inside = (box, [w, s, e, n], margin) =>
  box[0] > w + margin && box[1] > s + margin && box[2] < e - margin && box[3] < n - margin;
const outside = (box, [w, s, e, n], margin) =>
  box[2] < w - margin || box[3] < s - margin || box[0] > e + margin || box[1] > n + margin;

/** Extents of the features in decoded tiles, by name; a feature in several tiles is put together again. */
function extentsOf(layer, tiles) {
  const extents = new Map();
  for (const { z, x, y, bytes } of tiles) {
    const content = new VectorTile(new PbfReader(new Uint8Array(bytes))).layers[layer];
    for (let at = 0; at < (content?.length ?? 0); at++) {
      const feature = content.feature(at);
      const part = extent(feature.toGeoJSON(x, y, z).geometry);
      const have = extents.get(feature.properties.name) ?? part;
      const joined = part.map((side, at) => (at < 2 ? Math.min(side, have[at]) : Math.max(side, have[at])));
      extents.set(feature.properties.name, joined);
    }
  }
  return extents;
}

/** Opens all rows of the table and reads their names. */
async function allNames(page) {
  const more = page.getByRole("button", { name: "Show more rows" });
  while ((await more.count()) > 0) {
    const rows = await page.getByRole("row").count();
    await more.click();
    await page.waitForFunction((before) => document.querySelectorAll("tr").length > before, rows);
  }
  return page.getByRole("rowheader").allInnerTexts();
}

test("the table has what the map draws: points, lines, areas, stations", async () => {
  await browse({ hash: `#${VIEW}&l=places&tab=table` }, async (page) => {
    await listed(page);
    for (const layer of ["seen-points", "walked-lines", "watched-areas", "stations"]) {
      const answers = [];
      let asked = null;
      const listen = (response) => {
        const { pathname, searchParams } = new URL(response.url());
        const [, id, z, x, y] = pathname.match(/^\/tiles\/([^/]+)\/(\d+)\/(\d+)\/(\d+)\.mvt$/) ?? [];
        if (id === layer && response.status() === 200) answers.push({ z: +z, x: +x, y: +y, body: response.body() });
        if (pathname.endsWith(`/collections/${layer}/items`)) asked = searchParams.get("bbox")?.split(",").map(Number) ?? asked;
      };
      page.on("response", listen);
      await page.evaluate((hash) => {
        location.hash = hash;
      }, `#${VIEW}&l=${layer}&tab=table:${layer}`);
      await listed(page);
      const names = await allNames(page);
      page.off("response", listen);

      // What the map shows, worked out from the address and the size of the map: the page may be wrong about it.
      const box = await boxOf(page, MIDDLE);
      const pixel = pixelDegrees(MIDDLE[2]);
      for (const side of [0, 1, 2, 3]) {
        assert.ok(Math.abs(asked[side] - box[side]) < pixel, `${layer}: the table asks for ${asked}, the map shows ${box}`);
      }
      const deepest = Math.max(...answers.map(({ z }) => z));
      const tiles = answers.filter(({ z }) => z === deepest);
      const bodies = await Promise.all(tiles.map(async (tile) => ({ ...tile, bytes: await tile.body })));
      const extents = extentsOf(layer, bodies);
      // A tile has 4,096 units, so what lies on the very edge of the view may be on either side of it.
      const unit = (360 / 2 ** deepest / 4096) * 2 + pixel;
      const seen = [...extents].filter(([, part]) => inside(part, box, unit)).map(([name]) => name);
      assert.ok(seen.length > 5, `${layer}: ${seen.length} in sight`);
      const inTable = new Set(names);
      assert.equal(inTable.size, names.length, `${layer}: a row comes twice`);
      for (const name of seen) assert.ok(inTable.has(name), `${layer}: ${name} is drawn and not listed`);
      for (const name of inTable) {
        const part = extents.get(name);
        assert.ok(part && !outside(part, box, unit), `${layer}: ${name} is listed and not drawn`);
      }
      const line = await page.getByText(/ in view/).innerText();
      assert.equal(Number(line.match(/^[\d,]+/)[0].replaceAll(",", "")), names.length);
    }
  });
});

test("rows are sorted, selected and lit", async () => {
  await browse({ hash: `#${VIEW}&l=seen-points&tab=table` }, async (page) => {
    await listed(page);
    const head = page.getByRole("columnheader", { name: "Reports" });
    await head.getByRole("button").click();
    await head.getByRole("button").click();
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    const reports = await page.locator("tbody td.number").allInnerTexts();
    assert.ok(reports.length > 10);
    assert.deepEqual(reports.map(Number), reports.map(Number).toSorted((a, b) => b - a));

    await drawn(page);
    const before = await page.locator("#map").screenshot();
    const row = page.getByRole("row").nth(1);
    await row.hover();
    const picture = () => page.locator("#map").screenshot().then((png) => png.equals(before));
    await eventually(picture, (same) => !same, "the feature of the row is lit");

    const name = await row.getByRole("rowheader").innerText();
    await row.click();
    const drawer = page.getByRole("complementary", { name: "Details" });
    await drawer.getByRole("heading", { name, exact: true }).waitFor();
    assert.match(await drawer.innerText(), /Seen on\s+15 \w{3} 2024/);
    assert.match(await drawer.innerText(), /S[UZ] \d{4} \d{4}/);
    assert.equal(await row.getByRole("button").getAttribute("aria-pressed"), "true");
  });
});

test("a feature on the map is previewed, lights its row, and is selected by a click", async () => {
  await browse({ hash: `#${VIEW}&l=watched-areas&tab=table` }, async (page) => {
    await listed(page);
    // The first row's area is brought into the middle of the map.
    const row = page.getByRole("row").nth(1);
    const name = await row.getByRole("rowheader").innerText();
    await row.click();
    const drawer = page.getByRole("complementary", { name: "Details" });
    await drawer.getByRole("button", { name: "Zoom to it" }).click();
    await drawn(page);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    const { x, y, width, height } = await page.locator("#map").boundingBox();
    const middle = [x + (width - 364) / 2, y + height / 2];
    await page.mouse.move(middle[0] - 5, middle[1]);
    await page.mouse.move(...middle);
    await page.locator(".preview").filter({ hasText: name }).waitFor();
    await page.locator("tr.lit").filter({ hasText: name }).waitFor();
    await page.mouse.click(...middle);
    await drawer.getByRole("heading", { name, exact: true }).waitFor();
    // A click on nothing clears.
    await page.mouse.click(x + 8, y + 8);
    await drawer.waitFor({ state: "detached" });
  });
});

test("an empty view says so and offers a way out", async () => {
  await browse({ hash: "#v=-4.5,57.5,10&l=seen-points&tab=table" }, async (page) => {
    await page.getByText("No row of Seen points is in view.").waitFor();
    await page.getByRole("button", { name: "Show all of it" }).click();
    await page.getByText(/^260 in view/).waitFor();
  });
});
