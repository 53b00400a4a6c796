// Points too dense to be drawn one by one: circles that count, on the map as in the table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse, drawn, eventually, listed, load } from "./driver.mjs";

const { VectorTile } = await load("@mapbox/vector-tile");
const { PbfReader } = await load("pbf");

/** Every circle of the loaded tiles of a layer once: longitude, latitude, count. A tile repeats those beyond its edge. */
function circlesOf(layer, tiles) {
  return tiles.flatMap(({ z, x, y, bytes }) => {
    const content = new VectorTile(new PbfReader(new Uint8Array(bytes))).layers[layer];
    return Array.from({ length: content?.length ?? 0 }, (_, at) => content.feature(at))
      .filter((feature) => {
        const [[position]] = feature.loadGeometry();
        return [position.x, position.y].every((side) => side >= 0 && side < content.extent);
      })
      .map((feature) => {
        const [lon, lat] = feature.toGeoJSON(x, y, z).geometry.coordinates;
        return { lon, lat, count: feature.properties.count };
      });
  });
}

test("circles stand for as many features as the table counts, and a click comes closer", async () => {
  const answers = [];
  const listen = (page) =>
    page.on("response", (response) => {
      const [, z, x, y] = new URL(response.url()).pathname.match(/^\/tiles\/heard-points\/(\d+)\/(\d+)\/(\d+)\.mvt$/) ?? [];
      if (z && response.status() === 200) answers.push({ z: +z, x: +x, y: +y, body: response.body() });
    });
  // All of the layer is in this view.
  await browse({ hash: "#v=-1.05,50.95,8.3&l=heard-points&tab=table", before: listen }, async (page) => {
    await listed(page);
    await page.getByText(/^12,000 in view, 100 shown$/).waitFor();
    const deepest = Math.max(...answers.map(({ z }) => z));
    const tiles = answers.filter(({ z }) => z === deepest);
    const circles = circlesOf("heard-points", await Promise.all(tiles.map(async (tile) => ({ ...tile, bytes: await tile.body }))));
    assert.ok(circles.length > 20 && circles.length < 2_000, `${circles.length} circles`);
    assert.equal(circles.reduce((sum, { count }) => sum + count, 0), 12_000);
    await page.getByText("Heard points in a circle").waitFor();

    const { x, y, width, height } = await page.locator("#map").boundingBox();
    // Circles fill the middle; the preview says how many features the one under the pointer stands for.
    await page.mouse.move(x + width / 2 - 4, y + height / 2);
    await page.mouse.move(x + width / 2, y + height / 2);
    const preview = page.locator(".preview");
    await preview.filter({ hasText: / here/ }).waitFor();
    const said = Number((await preview.innerText()).match(/^[\d,]+/)[0].replaceAll(",", ""));
    assert.ok(circles.some(({ count }) => count === said), `no circle stands for ${said}`);
    await page.mouse.click(x + width / 2, y + height / 2);
    await page.waitForURL(/v=[^&]*,10\.3/);
    assert.equal(await page.getByRole("complementary", { name: "Details" }).count(), 0, "a circle is no feature");
    // Here every feature is drawn, so the key to circles is gone.
    await drawn(page);
    await eventually(() => page.getByText("Heard points in a circle").count(), (count) => count === 0, "no key without circles");
  });
});
