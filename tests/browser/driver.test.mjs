// The watch of the driver sees what it is there for: without this test, its silence would prove nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browse } from "./driver.mjs";

/** The opened page must have failed for exactly these reasons, among others. */
const failsFor = (opened, ...parts) =>
  assert.rejects(opened, ({ actual }) => {
    const said = actual.join("\n");
    for (const part of parts) assert.ok(said.includes(part), `${part} is not in:\n${said}`);
    return true;
  });

test("messages, errors and violations are noticed", async () => {
  const opened = browse({ hash: "#l=" }, async (page) => {
    await page.evaluate(async () => {
      console.warn("a warning");
      setTimeout(() => {
        throw new Error("a thrown error");
      });
      const script = document.createElement("script");
      script.textContent = "document.title = 'changed'";
      document.head.append(script);
      // The policy stops the request before it is made.
      await fetch("https://elsewhere.invalid/x").catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    assert.equal(await page.title(), "Throughline", "the policy holds scripts in the page back");
  });
  await failsFor(
    opened,
    "warning: a warning",
    "a thrown error",
    "content security policy: script-src",
    "content security policy: connect-src",
  );
});

test("requests to other hosts are noticed where no policy stops them", async () => {
  const before = (page) => page.route("https://elsewhere.invalid/**", (route) => route.fulfill({ body: "" }));
  const opened = browse({ hash: "#l=", settings: { bypassCSP: true }, before }, (page) =>
    page.evaluate(() => fetch("https://elsewhere.invalid/x", { mode: "no-cors" }).then(() => null)),
  );
  await failsFor(opened, "foreign request: https://elsewhere.invalid/x");
});
