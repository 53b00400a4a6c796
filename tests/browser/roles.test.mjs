// Roles: who plays one sees what that role gets, on the map and in every list, and the marking follows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse, drawn, eventually } from "./driver.mjs";

const layer = (page, name) => page.getByRole("checkbox", { name });
const details = (page) => page.getByRole("complementary", { name: "Details" });

/** Chooses a role in the header's dialog, as a user would. */
async function play(page, role, own, reason) {
  await page.getByRole("button", { name: /^You see what they see/ }).click();
  const dialog = page.getByRole("dialog", { name: "Look with whose eyes?" });
  await dialog.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
  if (own) await dialog.getByRole("combobox").selectOption({ label: own });
  if (reason) await dialog.getByRole("textbox", { name: /^Reason/ }).fill(reason);
  await dialog.getByRole("button", { name: "Show what they see" }).click();
  await page.getByRole("button", { name: new RegExp(`^You see what they see: ${role}`) }).waitFor();
  await drawn(page);
}

/** Looks Portsmouth up, and reads how many lines feed it; null where that is not said. */
async function portsmouth(page) {
  await page.getByRole("combobox", { name: "Search" }).fill("portsm");
  await page.getByRole("option", { name: /^Portsmouth.*Destination/ }).first().click();
  await details(page).getByRole("heading", { name: "Portsmouth" }).waitFor();
}

test("each role has its own layers, and homes are there for a reason only", async () => {
  await browse({ national: true, size: "wide" }, async (page) => {
    await drawn(page);
    const addresses = layer(page, /^Cuckooed addresses/);
    await addresses.waitFor();

    await play(page, "Force analyst", "Hampshire & Isle of Wight Constabulary");
    await layer(page, /^Links/).waitFor();
    assert.equal(await addresses.count(), 0, "not in the list without a reason");
    await portsmouth(page);
    await details(page).getByText(/20 lines from \d+ areas/).waitFor();

    await play(page, "Force analyst", "Hampshire & Isle of Wight Constabulary", "a missing child was seen there");
    await addresses.waitFor();

    await play(page, "Railway planner");
    await layer(page, /^Stops and reports/).waitFor();
    assert.equal(await addresses.count(), 0);

    await play(page, "National analyst");
    await layer(page, /^Links/).waitFor();
    assert.equal(await addresses.count(), 0);

    await play(page, "Anyone");
    await layer(page, /^Destination towns/).waitFor();
    assert.equal(await page.getByRole("region", { name: "Register" }).count(), 0, "public facts only");
    const marking = page.getByRole("note", { name: "Protective marking" });
    await eventually(() => marking.innerText(), (text) => text === "OFFICIAL · SYNTHETIC DATA", "the marking follows");
  });
});

test("a role is chosen with the keyboard alone, on a small screen too", async () => {
  await browse({ national: true, size: "narrow" }, async (page) => {
    await drawn(page);
    const button = page.getByRole("button", { name: /^You see what they see/ });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Look with whose eyes?" });
    await dialog.waitFor();
    assert.ok(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth), "nothing is cut off");
    await page.keyboard.press("Escape");
    await eventually(() => dialog.count(), (found) => found === 0, "Escape closes it");
  });
});
