// How the map application and the guides become files: the pages, and everything else flat and hashed in assets/, each
// with .gz and .br.
import { defineConfig } from "vite";
import { compress } from "./build/compress.ts";
import { help } from "./build/help.ts";
import { land } from "./build/land.ts";
import { preload } from "./build/preload.ts";

// What the page begins with is one file: in several it packs worse, and each would wait for the one that names it.
const together = { codeSplitting: { groups: [{ name: "index", tags: ["$initial" as const] }] } };
const flat = { entryFileNames: "assets/[name]-[hash].js", chunkFileNames: "assets/[name]-[hash].js" };

export default defineConfig({
  // Addresses relative to the page and its scripts: a proxy may put a path in front.
  base: "./",
  plugins: [
    land(new URL("../data/reference/", import.meta.url)),
    preload(),
    help(new URL("./help/", import.meta.url), new URL("./src/styles/tokens.css", import.meta.url)),
    compress(),
  ],
  build: {
    target: ["es2022", "chrome123", "edge123", "firefox125", "safari17.5"],
    // Data URLs are not allowed by the server's content security policy.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: { output: { ...flat, ...together } },
  },
});
