// Runs all browser tests in one process, with one server and one browser: `node tests/browser/run.mjs`.
import { after, before } from "node:test";
import { start, stop } from "./driver.mjs";

before(() => start());
after(() => stop());

await import("./driver.test.mjs");
await import("./page.test.mjs");
await import("./search.test.mjs");
await import("./proxy.test.mjs");
await import("./table.test.mjs");
await import("./clusters.test.mjs");
await import("./national.test.mjs");
await import("./roles.test.mjs");
await import("./accessibility.test.mjs");
await import("./help.test.mjs");
