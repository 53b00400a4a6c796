// What axe finds on a page.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const fromStatic = createRequire(new URL("../../static/package.json", import.meta.url));
const AXE = await readFile(fromStatic.resolve("axe-core/axe.min.js"), "utf8");

/** The serious and critical violations of a page. The page must be opened with `bypassCSP`: its policy keeps axe out. */
export async function violations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** Pixels by which a page is wider than its screen; 0 or less if it fits. */
export const pixelsBeyond = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
