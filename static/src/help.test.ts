import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { idOf, render } from "../build/help.ts";

const FOLDER = new URL("../help/", import.meta.url);
const PAGES = readdirSync(FOLDER).filter((file) => file.endsWith(".md"));
const rendered = new Map(PAGES.map((file) => [file.replace(".md", ""), render(readFileSync(new URL(file, FOLDER), "utf8")).html]));

describe("a guide", () => {
  it("has its title, and before its first section the list of its sections", () => {
    const text = "# A & B\n\nFirst.\n\n## One\n\n## Two < 3\n\n## Three\n\n## Four\n";
    const { title, html } = render(text);
    expect(title).toBe("A & B");
    expect(html.indexOf("<nav")).toBeGreaterThan(html.indexOf("First."));
    expect(html.indexOf("<nav")).toBeLessThan(html.indexOf('<h2 id="one">'));
    expect(html).toContain('<li><a href="#two-3">Two &lt; 3</a></li>');
    expect(html).toContain('<h2 id="two-3">Two &lt; 3</h2>');
  });
  it("with few sections has no list", () => {
    expect(render("# A\n\n## One\n\n## Two\n").html).not.toContain("<nav");
  });
  it("shows code as it is written", () => {
    expect(render("# A\n\n```\na < b && c\n```\n").html).toContain("<code>a &lt; b &amp;&amp; c</code>");
  });
});

describe("ids of headings", () => {
  it("are small letters and hyphens", () => {
    expect(idOf("See what feeds a town")).toBe("see-what-feeds-a-town");
    expect(idOf(" Who? (And why) ")).toBe("who-and-why");
  });
});

describe.each([...rendered])("the page %s", (_name, html) => {
  it("has one first heading, no heading id twice, and no script or style of its own", () => {
    expect(html.match(/<h1/g)).toHaveLength(1);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(html).not.toMatch(/<script|<style| style=| on[a-z]+=/);
  });
  it("leads only to pages and sections that are there", () => {
    for (const [, address = ""] of html.matchAll(/href="([^"]+)"/g)) {
      const [, page, section] = address.match(/^(?:\.\.\/help\/([a-z-]+))?(?:#([a-z0-9-]+))?$/) ?? [];
      expect(page ?? section, address).toBeDefined();
      const target = page === undefined ? html : rendered.get(page);
      expect(target, address).toBeDefined();
      if (section !== undefined) expect(target, address).toContain(` id="${section}"`);
    }
  });
});
