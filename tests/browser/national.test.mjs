// The synthetic national set on the map: flows, their key, who feeds whom, invented addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { askNation, browse, colours, drawn, eventually } from "./driver.mjs";

const EXPORTER = { light: "#a81e74", dark: "#ff9a76" };
const DESTINATION = { light: "#00707a", dark: "#4cc9f0" };
const DAY = "2024-04-30";

const details = (page) => page.getByRole("complementary", { name: "Details" });

for (const theme of ["light", "dark"]) {
  test(`the strongest pairs of places are drawn, ${theme}, and the key says how many are not`, async () => {
    const answer = await askNation(`/api/flows?datetime=${DAY}`);
    const { flows, lines } = answer.totals;
    assert.equal(answer.shown.flows, 150);
    await browse({ national: true, size: "wide", theme }, async (page) => {
      await drawn(page);
      const key = page.locator(".flow-key");
      await key.getByText(`The 150 strongest of ${flows} pairs of places are drawn`).waitFor();
      await key.getByText("Active on 30 April 2024").waitFor();
      assert.ok(lines > 600);
      const share = async () => {
        const found = await colours(page);
        return { ring: found.get(EXPORTER[theme]) ?? 0, dot: found.get(DESTINATION[theme]) ?? 0, many: found.size };
      };
      const withFlows = await eventually(share, ({ ring, dot, many }) => ring > 0.0005 && dot > 0.0002 && many > 600, "rings, dots and lines show");
      // Off, only the country is left.
      await page.getByRole("checkbox", { name: /^Lines between places/ }).uncheck();
      await eventually(share, ({ ring, many }) => ring < withFlows.ring / 4 && many < withFlows.many, "no lines are left");
      await page.waitForURL((url) => !url.hash.includes("flows"));
    });
  });
}

test("Portsmouth, found by its name, lists the areas that feed it", async () => {
  const { totals, places, flows } = await askNation(`/api/flows?datetime=${DAY}&to=towns:portsmouth`);
  assert.equal(totals.lines, 20);
  await browse({ national: true, size: "wide" }, async (page) => {
    await drawn(page);
    await page.getByRole("combobox", { name: "Search" }).fill("portsm");
    await page.getByRole("option", { name: /^Portsmouth.*Destination/ }).first().click();
    await details(page).getByRole("heading", { name: "Portsmouth" }).waitFor();
    const list = details(page).getByRole("region", { name: "Lines of this place" });
    await list.getByText(`20 lines from ${flows.length} areas`).waitFor();
    for (const { origin, lines } of flows) {
      const row = list.getByRole("button", { name: new RegExp(`^${places[origin].label}`) });
      assert.match(await row.innerText(), new RegExp(`\\b${lines}\\b`), places[origin].label);
    }
    // The strongest area leads to that area.
    await list.getByRole("button", { name: /^London/ }).click();
    await page.waitForURL(/s=forces:metropolitan/);
    await details(page).getByText(/\d+ lines to \d+ towns/).waitFor();
  });
});

/** England, left of where the details open and above the key. */
const ENGLAND = { x: 640, y: 120, width: 440, height: 480 };

/** Share of England that is darker than land, sea and coast. */
async function ink(page) {
  const dark = (colour) => [1, 3, 5].reduce((sum, at) => sum + Number.parseInt(colour.slice(at, at + 2), 16), 0) < 480;
  return [...(await colours(page, ENGLAND))].reduce((sum, [colour, share]) => sum + (dark(colour) ? share : 0), 0);
}

/** What is measured twice alike: the lines come some time after the map. */
async function settled(measure) {
  let last = -1;
  return eventually(measure, (now) => {
    const same = Math.abs(now - last) < 1e-5 && now > 0;
    last = now;
    return same;
  }, "the picture comes to rest");
}

test("what is selected stands out: other lines fade", async () => {
  await browse({ national: true, size: "wide", hash: "#v=-2,53,5.4&l=flows" }, async (page) => {
    await page.getByText(/pairs of places are drawn/).waitFor();
    await drawn(page);
    const before = await settled(() => ink(page));
    await page.evaluate(() => (location.hash = "#v=-2,53,5.4&l=flows&s=hubs:hull"));
    await details(page).getByText(/lines? to \d+ towns/).waitFor();
    await eventually(() => ink(page), (share) => share < before * 0.8, `less ink than ${before}`);
  });
});

test("every line on the map is in a table, with the map and without", async () => {
  const { flows, places } = await askNation(`/api/flows?datetime=${DAY}`);
  const [{ origin, destination, lines }] = flows;
  const withoutMap = (page) =>
    page.addInitScript(() => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === "webgl2" ? null : original.call(this, kind, ...rest);
      };
    });
  for (const before of [undefined, withoutMap]) {
    await browse({ national: true, hash: "#tab=table:flows", before }, async (page) => {
      const table = page.getByRole("tabpanel").getByRole("table");
      await table.getByRole("row").nth(150).waitFor();
      const first = await table.getByRole("row").nth(1).innerText();
      for (const word of [places[origin].label, places[destination].label, String(lines)]) assert.ok(first.includes(word), first);
    });
  }
});

test("invented addresses say what they are, and the map stops before a house can be told", async () => {
  const as = { role: "force-analyst:hampshire", reason: "a missing child was seen there" };
  await browse({ national: true, as, size: "wide", hash: "#v=-1.08,50.81,12.5&l=addresses" }, async (page) => {
    await drawn(page);
    await page.getByText("Invented positions: the zoom stops at 13").waitFor();
    for (let step = 0; step < 3; step += 1) await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/v=[^&]*,13&/);
    await page.waitForTimeout(600);
    assert.match(page.url(), /v=[^&]*,13&/);
    // Without them it goes on.
    await page.getByRole("checkbox", { name: /^Cuckooed addresses/ }).uncheck();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/v=[^&]*,14/);
  });
});
