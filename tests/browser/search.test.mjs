// Search, selection and the way through the page by keyboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse, drawn } from "./driver.mjs";

const drawerOf = (page) => page.getByRole("complementary", { name: "Details" });
const resultsOf = (page) => page.getByRole("listbox", { name: "Results" }).getByRole("option");
const searchOf = (page) => page.getByRole("combobox", { name: "Search" });

test("a station is found by name and by code, a town in spite of a slip", async () => {
  await browse({ hash: "#l=places,stations" }, async (page) => {
    for (const [typed, name, selected] of [
      ["portsmouth & south", "Portsmouth & Southsea", /s=stations:PMS/],
      ["WAT", "London Waterloo", /s=stations:WAT/],
      ["portsmoth", "Portsmouth", /s=places:2639996/],
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
  await browse({ hash: "#l=places" }, async (page) => {
    await searchOf(page).fill("SU 640 002");
    await resultsOf(page).first().click();
    await page.getByRole("status").filter({ hasText: /marked on the map/ }).waitFor();
    await page.waitForURL(/v=-1\.0\d+,50\.[78]\d+,/);
    assert.equal(await drawerOf(page).count(), 0);
  });
});

test("what is not found is said, with what to try", async () => {
  await browse({ hash: "#l=places" }, async (page) => {
    await searchOf(page).fill("qqqqxxxx");
    await page.getByText("Nothing is called “qqqqxxxx”").waitFor();
  });
});

test("by keyboard alone: search, select, read, go back", async () => {
  await browse({ hash: "#l=places,stations" }, async (page) => {
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
    assert.ok(await heading.evaluate((element) => element === document.activeElement), "the focus is in the drawer");
    await page.getByRole("status").filter({ hasText: /Waterloo.* selected/ }).waitFor();
    await page.keyboard.press("Escape");
    await drawerOf(page).waitFor({ state: "detached" });
    assert.ok(await searchOf(page).evaluate((input) => input === document.activeElement), "the focus is back");
    assert.equal(await resultsOf(page).count(), 0);
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
  await browse({ theme: "light", hash: "#l=places" }, async (page) => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await paper(), "rgb(255, 255, 255)");
    await page.getByRole("combobox", { name: "Appearance" }).selectOption("Dark");
    assert.equal(await paper(), "rgb(19, 28, 37)");
    await page.reload();
    await page.getByRole("combobox", { name: "Appearance" }).waitFor();
    assert.equal(await paper(), "rgb(19, 28, 37)");
  });
});
