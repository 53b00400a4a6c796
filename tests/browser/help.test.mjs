// The guides: they are there, lead to one another and to the map, and can be read on every screen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pixelsBeyond, violations } from "./axe.mjs";
import { browse, drawn } from "./driver.mjs";

const GUIDES = [
  ["help", "Throughline guides"],
  ["help/analyst", "Analyst guide"],
  ["help/planner", "Planner guide"],
  ["help/gis-officer", "GIS officer guide"],
];

for (const [path, title] of GUIDES) {
  test(`/${path} has its heading, fits every screen, and axe finds nothing serious`, async () => {
    for (const size of ["wide", "narrow"]) {
      await browse({ size, hash: path, settings: { bypassCSP: true } }, async (page) => {
        await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
        // The stylesheet is there: the column of text is not as wide as a wide screen.
        const { width } = await page.getByRole("main").boundingBox();
        assert.ok(width <= 740, `${width} px`);
        assert.ok((await pixelsBeyond(page)) <= 0, `${size}: wider than the screen`);
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${size}, ${colorScheme}`);
        }
      });
    }
  });
}

test("the guides lead to one another, to their sections and to the map", async () => {
  await browse({ hash: "help" }, async (page) => {
    const between = page.getByRole("navigation", { name: "Guides" });
    for (const [path, title] of GUIDES.slice(1)) {
      await between.getByRole("link", { name: title.replace(/ guide$/, ""), exact: true }).click();
      await page.waitForURL((url) => url.pathname === `/${path}`);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    }
    await page.getByRole("link", { name: "QGIS", exact: true }).click();
    await page.waitForURL((url) => url.hash === "#qgis");
    await between.getByRole("link", { name: "Map", exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/");
    await drawn(page);
  });
});

test("the map leads to the guides, from its help and from its layers", async () => {
  for (const size of ["usual", "narrow"]) {
    await browse({ size, hash: "#l=places" }, async (page) => {
      await drawn(page);
      if (size === "narrow") await page.getByRole("button", { name: "Layers", exact: true }).click();
      else await page.getByRole("button", { name: "Help" }).click();
      const part = size === "narrow" ? page.getByRole("region", { name: "Layers" }) : page.getByRole("dialog", { name: "Keys and help" });
      const opened = page.context().waitForEvent("page");
      await part.getByRole("link", { name: "Analyst" }).click();
      const guide = await opened;
      await guide.getByRole("heading", { level: 1, name: "Analyst guide" }).waitFor();
    });
  }
});
