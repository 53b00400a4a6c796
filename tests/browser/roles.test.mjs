// Roles: a page viewed as a role shows what that role gets, on the map and in every list, and the marking follows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse, colours, drawn, eventually } from "./driver.mjs";

const layer = (page, name) => page.getByRole("checkbox", { name });
const details = (page) => page.getByRole("complementary", { name: "Details" });

/** Chooses a role in the header's dialog, as a user would. */
async function viewAs(page, role, own, reason) {
  await page.getByRole("button", { name: /^Viewing as/ }).click();
  const dialog = page.getByRole("dialog", { name: "View as another role" });
  await dialog.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
  if (own) await dialog.getByRole("combobox").selectOption({ label: own });
  if (reason) await dialog.getByRole("textbox", { name: /^Reason/ }).fill(reason);
  await dialog.getByRole("button", { name: "View as this role" }).click();
  await page.getByRole("button", { name: new RegExp(`^Viewing as: ${role}`) }).waitFor();
  await drawn(page);
}

/** Looks Portsmouth up, and reads how many lines feed it; null where that is not said. */
async function portsmouth(page) {
  await page.getByRole("combobox", { name: "Search" }).fill("portsm");
  await page.getByRole("option", { name: /^Portsmouth.*Destination/ }).first().click();
  await details(page).getByRole("heading", { name: "Portsmouth" }).waitFor();
}

/** What there is of taken-over homes, by the names of layers. */
const HOMES = { exact: /^Cuckooed addresses/, cells: /^Address cells/, counts: /^Address counts/, figures: /^Figures for councils/ };

/** Each role: how homes are there for it, how many lines it sees feed Portsmouth, how its data is marked. */
const ROLES = [
  ["national-analyst", ["cells", "counts"], "20 lines", "OFFICIAL-SENSITIVE"],
  ["force-analyst:hampshire", ["counts"], "20 lines", "OFFICIAL-SENSITIVE"],
  ["regional-analyst:south-east", ["counts"], "20 lines", "OFFICIAL-SENSITIVE"],
  ["btp-planner", ["cells", "counts"], "10 lines", "OFFICIAL-SENSITIVE"],
  ["partner:E06000044", ["figures"], null, "OFFICIAL-SENSITIVE"],
  ["public", [], null, "OFFICIAL"],
  ["admin", [], null, "OFFICIAL"],
];

for (const [role, homes, lines, marking] of ROLES) {
  test(`homes and Portsmouth viewed as ${role}`, async () => {
    await browse({ national: true, as: { role }, size: "wide" }, async (page) => {
      await drawn(page);
      await layer(page, /^Destination towns/).waitFor();
      for (const [form, name] of Object.entries(HOMES)) {
        assert.equal(await layer(page, name).count(), homes.includes(form) ? 1 : 0, form);
      }
      const bar = page.getByRole("note", { name: "Protective marking" });
      await eventually(() => bar.innerText(), (text) => text === `${marking} · SYNTHETIC DATA`, "the marking follows");
      await portsmouth(page);
      if (lines) await details(page).getByText(new RegExp(`^${lines} from \\d+ areas`)).waitFor();
      else assert.equal(await details(page).getByText(/lines from/).count(), 0, "nothing is said of lines");
    });
  });
}

test("homes are shown only after a reason was given, and the list of layers asks for it", async () => {
  await browse({ national: true, as: { role: "force-analyst:hampshire" }, size: "wide" }, async (page) => {
    await drawn(page);
    await page.getByText(/^Shown only after you give a reason: Cuckooed addresses/).waitFor();
    await page.getByRole("button", { name: "Give a reason" }).click();
    const dialog = page.getByRole("dialog", { name: "View as another role" });
    await dialog.getByRole("textbox", { name: /^Reason/ }).fill("a missing child was seen there");
    await dialog.getByRole("button", { name: "View as this role" }).click();
    await layer(page, HOMES.exact).waitFor();
    assert.equal(await page.getByText(/^Shown only after you give a reason/).count(), 0);
    // Another role is chosen in the header, and has none of it.
    await viewAs(page, "Railway planner");
    await layer(page, /^Stops and reports/).waitFor();
    assert.equal(await layer(page, HOMES.exact).count(), 0);
    await viewAs(page, "Force analyst", "Kent Police");
    await layer(page, /^Legs/).waitFor();
    assert.equal(await layer(page, HOMES.exact).count(), 0);
  });
});

test("cells are hatched, and say their square and week", async () => {
  const hash = "#v=-1.08,50.81,11&l=places,address-cells";
  await browse({ national: true, size: "wide", hash }, async (page) => {
    await drawn(page);
    const { width, height, x, y } = await page.locator("#map").boundingBox();
    // Share of the picture in the orange of homes, which nothing else on the map has.
    const orange = async () => {
      let share = 0;
      for (const [colour, part] of await colours(page)) {
        const [red, , blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
        if (red - blue > 90) share += part;
      }
      return share;
    };
    const hatched = await orange();
    assert.ok(hatched > 0.03 && hatched < 0.5, `hatched, not filled: ${hatched}`);
    await page.mouse.click(x + width / 2, y + height / 2);
    await details(page).getByText(/^S[UZ] \d\d \d\d$/).first().waitFor();
    await details(page).getByText("First seen").first().waitFor();
    assert.equal(await details(page).getByText(/Street|Road|ZZ99/).count(), 0, "nothing of the address");
    await layer(page, HOMES.cells).uncheck();
    await eventually(orange, (share) => share < 0.001, "no orange without them");
  });
});

test("a role is chosen with the keyboard alone, on a small screen too", async () => {
  await browse({ national: true, size: "narrow" }, async (page) => {
    await drawn(page);
    const button = page.getByRole("button", { name: /^Viewing as/ });
    await button.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "View as another role" });
    await dialog.waitFor();
    assert.ok(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth), "nothing is cut off");
    await page.keyboard.press("Escape");
    await eventually(() => dialog.count(), (found) => found === 0, "Escape closes it");
  });
});
