// Search, selection and the way through the page by keyboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse, drawn, eventually, listed } from "./driver.mjs";

const drawerOf = (page) => page.getByRole("complementary", { name: "Details" });
const resultsOf = (page) => page.getByRole("listbox", { name: "Results" }).getByRole("option");
const searchOf = (page) => page.getByRole("combobox", { name: "Search" });

test("a station is found by name and by code, a town in spite of a slip", async () => {
  await browse({ hash: "#v=-1.1,50.9,10&l=places,stations" }, async (page) => {
    for (const [typed, name, selected] of [
      ["portsmouth & south", "Portsmouth & Southsea", /s=stations:PMS/],
      ["WAT", "London Waterloo", /s=stations:WAT/],
      ["portsmoth", "Portsmouth", /s=towns:portsmouth/],
    ]) {
      await searchOf(page).fill(typed);
      await resultsOf(page).filter({ hasText: name }).first().click();
      await drawerOf(page).getByRole("heading", { name, exact: true }).waitFor();
      await page.waitForURL(selected);
      // The map went there, close enough to see it.
      await page.waitForURL(name.startsWith("P") ? /v=-1\.\d+,50\.\d+,1[0-3]/ : /v=-0\.\d+,51\.\d+,1[0-3]/);
    }
  });
});

test("a grid reference is found and marked", async () => {
  await browse({ hash: "#v=-1.3,50.9,10&l=places" }, async (page) => {
    await searchOf(page).fill("SU 640 002");
    await resultsOf(page).first().click();
    await page.getByRole("status").filter({ hasText: /marked on the map/ }).waitFor();
    await page.waitForURL(/v=-1\.0\d+,50\.[78]\d+,/);
    assert.equal(await drawerOf(page).count(), 0);
  });
});

test("what is not found is said, with what to try", async () => {
  await browse({ hash: "#v=-1.1,50.9,10&l=" }, async (page) => {
    await searchOf(page).fill("qqqqxxxx");
    await page.getByText("Nothing is called “qqqqxxxx”").waitFor();
  });
});

test("by keyboard alone: search, select, read, go back", async () => {
  await browse({ hash: "#v=-1.1,50.9,10&l=places,stations" }, async (page) => {
    await drawn(page);
    await page.keyboard.press("/");
    assert.ok(await searchOf(page).evaluate((input) => input === document.activeElement));
    await page.keyboard.type("waterloo");
    await resultsOf(page).first().waitFor();
    await page.getByRole("status").filter({ hasText: /result/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    const active = await searchOf(page).getAttribute("aria-activedescendant");
    assert.equal(await page.locator(`#${active}`).getAttribute("aria-selected"), "true");
    await page.keyboard.press("Enter");
    const heading = drawerOf(page).getByRole("heading", { level: 2 });
    await heading.filter({ hasText: /Waterloo/ }).waitFor();
    await eventually(() => heading.evaluate((it) => it === document.activeElement), Boolean, "the focus is in the drawer");
    await page.getByRole("status").filter({ hasText: /Waterloo.* selected/ }).waitFor();
    await page.keyboard.press("Escape");
    await drawerOf(page).waitFor({ state: "detached" });
    assert.ok(await searchOf(page).evaluate((input) => input === document.activeElement), "the focus is back");
    assert.equal(await resultsOf(page).count(), 0);
  });
});

/** Presses Tab until the focus is on `wanted`; on the way every stop must show that it has the focus. */
async function tabTo(page, wanted) {
  for (let stop = 0; stop < 40; stop++) {
    await page.keyboard.press("Tab");
    const shows = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return document.activeElement.tagName === "CANVAS" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
    });
    assert.ok(shows, `the focus is not seen on ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 120))}`);
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail(`the keyboard does not get to ${wanted}`);
}

test("by keyboard alone: switch a layer on, go through the table, read a row, come back to it", async () => {
  await browse({ hash: "#v=-1.1,50.95,10.6&l=places" }, async (page) => {
    await drawn(page);
    await tabTo(page, page.getByRole("link", { name: "Skip to the map" }));
    await tabTo(page, searchOf(page));
    await tabTo(page, page.getByRole("button", { name: "Table", exact: true }));
    await page.keyboard.press("Enter");
    await page.waitForURL(/tab=table/);
    await tabTo(page, page.getByRole("checkbox", { name: /Walked lines/ }));
    await page.keyboard.press("Space");
    await page.waitForURL(/l=[^&]*walked-lines/);
    await listed(page);
    await tabTo(page, page.getByRole("tab", { selected: true }));
    assert.equal(await page.getByRole("tab", { selected: true }).innerText(), "Walked lines");
    await page.keyboard.press("ArrowRight");
    await page.getByRole("tab", { name: "Places", selected: true }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("tab", { name: "Walked lines", selected: true }).waitFor();
    await listed(page);
    const row = page.getByRole("row").nth(2).getByRole("button");
    await tabTo(page, row);
    const name = await row.innerText();
    await page.keyboard.press("Enter");
    const heading = drawerOf(page).getByRole("heading", { name, exact: true });
    await heading.waitFor();
    await eventually(() => heading.evaluate((it) => it === document.activeElement), Boolean, "the focus is in the drawer");
    await page.keyboard.press("Escape");
    await drawerOf(page).waitFor({ state: "detached" });
    const back = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(back, name, "the focus is back on the row");
  });
});

test("the map moves by keys, and the page lists its keys", async () => {
  await browse({ hash: "#v=-1.1,50.9,10&l=places" }, async (page) => {
    await drawn(page);
    await page.getByRole("link", { name: "Skip to the map" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/v=-1\.0|v=-0/);
    await page.keyboard.press("+");
    await page.waitForURL(/,11(&|$)/);
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keys and help" });
    await dialog.waitFor();
    await dialog.getByRole("checkbox", { name: /Single keys/ }).uncheck();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("?");
    assert.equal(await dialog.count(), 0, "single keys are off");
  });
});

test("the appearance is chosen and remembered", async () => {
  await browse({ theme: "light", hash: "#v=-1.1,50.9,10&l=" }, async (page) => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await paper(), "rgb(255, 255, 255)");
    await page.getByRole("combobox", { name: "Appearance" }).selectOption("Dark");
    assert.equal(await paper(), "rgb(19, 28, 37)");
    await page.reload();
    await page.getByRole("combobox", { name: "Appearance" }).waitFor();
    assert.equal(await paper(), "rgb(19, 28, 37)");
  });
});
