// axe finds nothing serious or critical, at three sizes, in both themes, with everything open too.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pixelsBeyond, violations } from "./axe.mjs";
import { browse, drawn } from "./driver.mjs";

for (const size of ["wide", "middling", "narrow"]) {
  test(`axe, ${size}, light and dark`, async () => {
    const hash = "#v=-1.1,50.85,10.6&l=places,stations,seen-points&s=stations:PMS&tab=table";
    // The policy of the page rightly keeps scripts of others out, axe too.
    await browse({ size, hash, settings: { bypassCSP: true } }, async (page) => {
      await drawn(page);
      const check = async (what) => {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(page), [], `${what}, ${colorScheme}`);
        }
        const beyond = await pixelsBeyond(page);
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
