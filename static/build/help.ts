// Makes the guides: each Markdown file of static/help becomes a page, all with one stylesheet and without a script.
//
// In: static/help/*.md (the first line is the heading) and page.css; the tokens, fonts and icon of the application.
// Out: help/{name}.html. Addresses within a page are relative to `/help/`, so that a proxy may put a path in front.
import { readFileSync, readdirSync } from "node:fs";
import { Marked, type Tokens } from "marked";
import type { Plugin } from "vite";

/** The page at `/help` itself. */
const INDEX = "index";
/** The pages, in the order in which each of them names the others. The server has the same list (`src/http/site.rs`). */
const PAGES = [INDEX, "analyst", "planner", "gis-officer"];
/** A page with at least so many sections begins with a list of them. */
const LISTED_FROM = 4;

interface Section {
  id: string;
  title: string;
}

/** `Draw an area (soon)` -> `draw-an-area-soon`: the id of a heading. */
export const idOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The list of a page's sections, as HTML. */
function contents(sections: Section[]): string {
  if (sections.length < LISTED_FROM) return "";
  const items = sections.map(({ id, title }) => `<li><a href="#${id}">${escape(title)}</a></li>`).join("\n");
  return `<nav class="contents" aria-label="On this page">\n<p>On this page</p>\n<ul>\n${items}\n</ul>\n</nav>\n`;
}

/** The title of a page and its content as HTML: the list of sections stands before the first of them. */
export function render(markdown: string): { title: string; html: string } {
  const sections: Section[] = [];
  let title = "";
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading): string {
        const inner = this.parser.parseInline(tokens);
        if (depth === 1) {
          title = text;
          return `<h1>${inner}</h1>\n`;
        }
        const id = idOf(text);
        if (depth === 2) sections.push({ id, title: text });
        return `<h${depth} id="${id}">${inner}</h${depth}>\n`;
      },
      // A wide table or a long line of code scrolls by itself, and by keyboard too.
      table(token: Tokens.Table): string {
        const row = (cells: Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
        const body = token.rows.map((cells) => row(cells, "td")).join("\n");
        const head = row(token.header, "th").replaceAll("<th>", '<th scope="col">');
        return `<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n<thead>${head}</thead>\n<tbody>${body}</tbody>\n</table></div>\n`;
      },
      code({ text }: Tokens.Code): string {
        return `<pre tabindex="0" role="group" aria-label="Lines to copy"><code>${escape(text)}</code></pre>\n`;
      },
    },
  });
  const html = marked.parse(markdown, { async: false });
  const [head, ...rest] = html.split(/(?=<h2 )/);
  return { title, html: `${head ?? ""}${contents(sections)}${rest.join("")}` };
}

interface Frame {
  name: string;
  /** All pages with their titles, for the way between them. */
  pages: { name: string; title: string }[];
  style: string;
  icon: string;
}

const addressOf = (name: string): string => (name === INDEX ? "../help/" : `../help/${name}`);

function page(markdown: string, { name, pages, style, icon }: Frame): string {
  const { title, html } = render(markdown);
  const links = pages.map((each) => {
    const here = each.name === name ? ' aria-current="page"' : "";
    return `<li><a href="${addressOf(each.name)}"${here}>${escape(each.title)}</a></li>`;
  });
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} – Throughline</title>
<link rel="icon" type="image/svg+xml" href="../${icon}">
<link rel="stylesheet" href="../${style}">
</head>
<body>
<header>
<p class="name"><a href="../">Throughline</a></p>
<nav aria-label="Guides">
<ul>
${links.join("\n")}
<li><a href="../">Map</a></li>
</ul>
</nav>
</header>
<main>
${html}</main>
</body>
</html>
`;
}

/** The hashed name that a file of the application got. */
function builtFile(files: string[], pattern: RegExp): string {
  const found = files.find((file) => pattern.test(file));
  if (found === undefined) throw new Error(`the build has no file like ${pattern}: the guides need it`);
  return found;
}

export function help(folder: URL, tokens: URL): Plugin {
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  return {
    name: "throughline-help",
    apply: "build",
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle);
      const fonts = readFileSync(tokens, "utf8").replaceAll(/@fontsource\/inter\/files\/([\w-]+)\.woff2/g, (_all, font: string) =>
        builtFile(files, new RegExp(`^assets/${font}-[^/]+\\.woff2$`)).replace("assets/", "./"),
      );
      const sheet = this.emitFile({ type: "asset", name: "help.css", source: `${fonts}\n${read("page.css")}` });
      const style = this.getFileName(sheet);
      const icon = builtFile(files, /^assets\/icon-[^/]+\.svg$/);
      const unknown = readdirSync(folder).filter((file) => file.endsWith(".md") && !PAGES.includes(file.slice(0, -".md".length)));
      if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: not among the pages of build/help.ts and src/http/site.rs`);
      const sources = PAGES.map((name) => ({ name, markdown: read(`${name}.md`) }));
      const pages = sources.map(({ name, markdown }) => ({
        name,
        title: name === INDEX ? "Guides" : render(markdown).title.replace(/ guide$/, ""),
      }));
      for (const { name, markdown } of sources) {
        const source = page(markdown, { name, pages, style, icon });
        this.emitFile({ type: "asset", fileName: `help/${name}.html`, source });
      }
    },
  };
}
