// Behind a proxy under a path of its own, which the proxy takes away: the whole page works there.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { test } from "node:test";
import { address, browse, drawn } from "./driver.mjs";

const PREFIX = "/throughline";

/** A proxy as small as can be; what is asked for outside the path is listed. */
async function startProxy(target) {
  const outside = [];
  const proxy = createServer((asked, answer) => {
    if (!asked.url.startsWith(`${PREFIX}/`)) {
      outside.push(asked.url);
      answer.writeHead(404).end();
      return;
    }
    const headers = { ...asked.headers, host: new URL(target).host };
    const path = asked.url.slice(PREFIX.length);
    const inner = request(target + path, { method: asked.method, headers }, (found) => {
      answer.writeHead(found.statusCode, found.headers);
      found.pipe(answer);
    });
    inner.on("error", () => answer.destroy());
    asked.pipe(inner);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return { url: `http://127.0.0.1:${proxy.address().port}${PREFIX}`, outside, stop: () => proxy.close() };
}

test("map, search, details and links work under a path", async () => {
  const proxy = await startProxy(address());
  try {
    await browse({ at: proxy.url, hash: "#v=-1.1,50.9,10&l=places,stations" }, async (page) => {
      await drawn(page);
      await page.getByRole("combobox", { name: "Search" }).fill("WAT");
      await page.getByRole("option", { name: /London Waterloo/ }).first().click();
      const details = page.getByRole("complementary", { name: "Details" });
      await details.getByRole("heading", { name: "London Waterloo", exact: true }).waitFor();
      await drawn(page);
      const link = await details.getByRole("link", { name: "Open as GeoJSON" }).getAttribute("href");
      assert.equal(link, `${PREFIX}/ogc/collections/stations/items/WAT`);
    });
    assert.deepEqual(proxy.outside, []);
  } finally {
    proxy.stop();
  }
});
