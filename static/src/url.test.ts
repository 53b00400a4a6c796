import { describe, expect, it } from "vitest";
import { type Permalink, read, write } from "./url.ts";

const NOTHING: Permalink = { view: null, layers: null, selection: null, table: false, tableLayer: null };

describe("permalink", () => {
  it("is written as documented", () => {
    const link: Permalink = {
      view: { lon: -1.0912345, lat: 50.8, zoom: 11 },
      layers: ["stations", "places"],
      selection: { collection: "stations", id: "WAT" },
      table: true,
      tableLayer: null,
    };
    expect(write(link)).toBe("#v=-1.09123,50.8,11&l=stations,places&s=stations:WAT&tab=table");
  });

  it.each([
    NOTHING,
    { ...NOTHING, layers: [] },
    { ...NOTHING, table: true, tableLayer: "my layer" },
    { ...NOTHING, layers: ["a,b", "ŷ&=#"], selection: { collection: "a:b", id: "x:y/z ?%" } },
    { ...NOTHING, view: { lon: 0, lat: -0.5, zoom: 4.25 } },
  ])("survives writing and reading %#", (link) => {
    expect(read(write(link))).toEqual(link);
  });

  it("keeps no layers apart from unsaid layers", () => {
    expect(read("#l=").layers).toEqual([]);
    expect(read("#tab=table").layers).toBeNull();
  });

  it.each(["#v=1,2", "#v=a,b,c", "#v=999,0,3", "#v=0,86,3", "#v=0,0,-1", "#v=0,0,99", "#s=stations", "#s=:x", "#l", "#%E0%A4%A", "#tab=map", "#v=1,2,3,4"])(
    "takes %s for nothing",
    (fragment) => {
      expect(read(fragment)).toEqual(NOTHING);
    },
  );

  it("does not throw on bad escapes", () => {
    expect(read("#s=stations:%E0%A4%A").selection).toEqual({ collection: "stations", id: "%E0%A4%A" });
  });
});
