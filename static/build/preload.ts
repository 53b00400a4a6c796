// Tells the browser at once about what the first picture needs: the fonts, the small land file.
import type { HtmlTagDescriptor, Plugin } from "vite";

const WANTED: [RegExp, string, string | undefined][] = [
  [/\/inter-latin-\d00-normal-[^/]+\.woff2$/, "font", "font/woff2"],
  [/\/land-low-[^/]+\.json$/, "fetch", undefined],
];

export function preload(): Plugin {
  return {
    name: "throughline-preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const tags: HtmlTagDescriptor[] = [];
        for (const file of Object.keys(bundle ?? {}).sort()) {
          for (const [pattern, as, type] of WANTED) {
            if (!pattern.test(`/${file}`)) continue;
            const attrs = { rel: "preload", as, ...(type ? { type } : {}), href: `./${file}`, crossorigin: true };
            tags.push({ tag: "link", attrs, injectTo: "head" });
          }
        }
        return tags;
      },
    },
  };
}
