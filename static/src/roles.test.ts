import { describe, expect, it } from "vitest";
import { cookiesOf, nameOf } from "./roles.ts";

describe("roles", () => {
  it("are named with what is their own", () => {
    expect(nameOf({ role: "force-analyst", own: ["avon-and-somerset"] })).toBe("Force analyst, Avon And Somerset");
    expect(nameOf({ role: "force-analyst", own: ["kent"] }, { kent: "Kent Police" })).toBe("Force analyst, Kent Police");
    expect(nameOf({ role: "national-analyst", own: [] })).toBe("National analyst");
  });
  it("are played by cookies that go no further than this site", () => {
    expect(cookiesOf("force-analyst", ["kent"], " a child; missing ")).toEqual([
      "throughline-role=force-analyst%3Akent; path=/; SameSite=Strict",
      "throughline-reason=a%20child%3B%20missing; path=/; SameSite=Strict",
    ]);
    expect(cookiesOf("public", [], "")[1]).toBe("throughline-reason=; path=/; SameSite=Strict; max-age=0");
    expect(cookiesOf("partner", ["E06000044", "E09000002"], "")[0]).toContain("partner%3AE06000044%2BE09000002");
  });
});
