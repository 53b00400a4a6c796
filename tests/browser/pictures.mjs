// Writes the pictures of the README: `node tests/browser/pictures.mjs FOLDER`; with names, those only.
//
// EXTRA="file:id:title;..." imports more layers; the generated ones are then off in the national pictures.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { browse, drawn, start, stop } from "./driver.mjs";

const [folder, ...only] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node tests/browser/pictures.mjs FOLDER [NAME ...]");

const OFFICER = { role: "force-analyst:hampshire", reason: "a missing child was seen there" };
const PICTURES = [
  ["national-light", { national: true }],
  ["national-dark", { national: true, theme: "dark" }],
  ["london-light", { national: true, hash: "#v=-1.2,52.3,6.1&l=flows,places,forces&s=regions:london" }],
  ["london-dark", { national: true, theme: "dark", hash: "#v=-1.2,52.3,6.1&l=flows,places,forces&s=regions:london" }],
  ["portsmouth-light", { national: true, hash: "#v=-1.2,52.3,6.1&l=flows,places,forces&s=towns:portsmouth" }],
  ["portsmouth-dark", { national: true, theme: "dark", hash: "#v=-1.2,52.3,6.1&l=flows,places,forces&s=towns:portsmouth" }],
  ["addresses", { national: true, as: OFFICER, hash: "#v=-1.08,50.81,12.6&l=places,stations,addresses" }],
  ["cells", { national: true, hash: "#v=-1.2,50.9,9.2&l=places,stations,forces,address-cells" }],
  ["station", { hash: "#v=-1.03,50.83,11&l=places,stations,forces&s=stations:PMS" }],
  ["table", { theme: "dark", hash: "#v=-0.5,51.45,9.3&l=places,stations,forces&tab=table:stations" }],
  ["small", { national: true, size: "narrow", settings: { deviceScaleFactor: 2 } }],
];

const more = (process.env.EXTRA ?? "").split(";").filter(Boolean).map((each) => {
  const [path, id, title = id] = each.split(":");
  return { path, id, title };
});

/** Names, stations, forces and the extra layers, over the whole country. */
const NATIONAL = `#l=${["forces", "places", "stations", ...more.map(({ id }) => encodeURIComponent(id))].join(",")}`;

await mkdir(folder, { recursive: true });
await start(more);
try {
  for (const [name, options] of PICTURES.filter(([name]) => only.length === 0 || only.includes(name))) {
    await browse({ size: "wide", ...options, hash: options.hash ?? (options.national ? "" : NATIONAL) }, async (page) => {
      await drawn(page);
      // Lines, and what the details list of them, come after the map.
      if (options.national && !options.hash?.includes("address")) await page.locator(".flow-key").waitFor();
      await drawn(page);
      // Names fade in.
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(folder, `${name}.png`) });
    });
  }
} finally {
  await stop();
}
