// axe finds nothing serious or critical, at three sizes, in both themes, with everything open too.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { browse, drawn } from "./driver.mjs";

const fromStatic = createRequire(new URL("../../static/package.json", import.meta.url));
const AXE = await readFile(fromStatic.resolve("axe-core/axe.min.js"), "utf8");

async function violations(page) {
  const { violations: found } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

for (const size of ["wide", "middling", "narrow"]) {
  test(`axe, ${size}, light and dark`, async () => {
    const hash = "#v=-1.1,50.85,10.6&l=places,stations,seen-points&s=stations:PMS&tab=table";
    // The policy of the page rightly keeps scripts of others out, axe too.
    await browse({ size, hash, settings: { bypassCSP: true } }, async (page) => {
      await drawn(page);
      await page.evaluate(AXE);
      const check = async (what) => {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${what}, ${colorScheme}`);
        }
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(beyond <= 0, `${what}: ${beyond} px wider than the screen`);
      };
      await page.getByRole("complementary", { name: "Details" }).getByRole("heading", { name: /Southsea/ }).waitFor();
      await page.getByRole("tabpanel").waitFor();
      await check("with drawer and table");
      await page.getByRole("button", { name: "Close the details" }).click();
      await page.getByRole("button", { name: "Close the table" }).click();
      await check("the map alone");
      if (size === "narrow") await page.getByRole("button", { name: "Layers", exact: true }).click();
      await page.getByRole("combobox", { name: "Search" }).fill("ports");
      await page.getByRole("option", { name: /Portsmouth/ }).first().waitFor();
      await check("with the search open");
      if (size !== "wide") return;
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Help" }).click();
      await page.getByRole("dialog", { name: "Keys and help" }).waitFor();
      await check("with the help open");
    });
  });
}
