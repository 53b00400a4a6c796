import { describe, expect, it } from "vitest";
import type { FlowPair, FlowPlace, Flows } from "../../api/flows.ts";
import { picture, related, scaleOf } from "./picture.ts";

const hub = (id: string, force: string, lon: number, lat: number): FlowPlace => ({
  collection: "hubs", id, label: id, lon, lat, force, region: `${force}-region`, kind: "origin",
});
const town = (id: string, force: string, lon: number, lat: number): FlowPlace => ({
  ...hub(id, force, lon, lat), collection: "towns", kind: "destination",
});
const LONDON: FlowPlace = { ...hub("metropolitan", "metropolitan", -0.1, 51.5), collection: "forces", label: "London" };
const LEEDS = hub("leeds", "west-yorkshire", -1.55, 53.8);
const PORTSMOUTH = town("portsmouth", "hampshire", -1.09, 50.8);
const NORWICH = town("norwich", "norfolk", 1.29, 52.63);
/** 17 km from London. */
const HARROW = town("harrow", "metropolitan", -0.34, 51.58);
const PLACES = [LONDON, LEEDS, PORTSMOUTH, NORWICH, HARROW];

const pair = (origin: number, destination: number, lines: number, trips = lines * 5): FlowPair => ({
  origin, destination, lines, legs: lines, trips_per_week: trips, minutes: 100,
});
const answer = (flows: FlowPair[], origin = "area", places = PLACES): Flows => {
  const sum = { flows: flows.length, lines: 0, legs: 0, trips_per_week: 0 };
  return { reference_date: "2024-04-30", data_version: "1", synthetic: true, levels: { origin, destination: "place" }, totals: sum, shown: sum, places, flows, legs_without_ends: 0 };
};

describe("related", () => {
  it("is everything if nothing is selected", () => {
    expect(related(LONDON, NORWICH, null)).toBe(true);
  });
  it("is what begins or ends at the selected thing", () => {
    expect(related(LEEDS, NORWICH, { collection: "hubs", id: "leeds" })).toBe(true);
    expect(related(LEEDS, NORWICH, { collection: "towns", id: "norwich" })).toBe(true);
    expect(related(LEEDS, NORWICH, { collection: "towns", id: "leeds" })).toBe(false);
    expect(related(LEEDS, NORWICH, { collection: "hubs", id: "bradford" })).toBe(false);
  });
  it("is what begins or ends in the selected force or region", () => {
    expect(related(LEEDS, PORTSMOUTH, { collection: "forces", id: "hampshire" })).toBe(true);
    expect(related(LEEDS, PORTSMOUTH, { collection: "forces", id: "west-yorkshire" })).toBe(true);
    expect(related(LEEDS, PORTSMOUTH, { collection: "regions", id: "hampshire-region" })).toBe(true);
    expect(related(LEEDS, PORTSMOUTH, { collection: "regions", id: "norfolk-region" })).toBe(false);
    // A gathered area is its force, also if it says nothing of the force it lies in.
    expect(related({ ...LONDON, force: null }, PORTSMOUTH, { collection: "forces", id: "metropolitan" })).toBe(true);
  });
});

describe("picture", () => {
  const base = answer([pair(0, 2, 10), pair(0, 3, 4, 90), pair(1, 3, 4, 20), pair(1, 2, 1)]);

  it("has the strong on top, by lines, then by journeys", () => {
    expect(picture(base, [], null).flows.map(({ key }) => key)).toEqual([
      "hubs:leeds>towns:portsmouth",
      "hubs:leeds>towns:norwich",
      "forces:metropolitan>towns:norwich",
      "forces:metropolitan>towns:portsmouth",
    ]);
  });
  it("has what belongs to the selection above all else", () => {
    const { flows, places } = picture(base, [], { collection: "hubs", id: "leeds" });
    expect(flows.map(({ key, related: is }) => [key, is])).toEqual([
      ["forces:metropolitan>towns:norwich", false],
      ["forces:metropolitan>towns:portsmouth", false],
      ["hubs:leeds>towns:portsmouth", true],
      ["hubs:leeds>towns:norwich", true],
    ]);
    expect(places.filter((each) => each.related).map(({ id }) => id).sort()).toEqual(["leeds", "norwich", "portsmouth"]);
    expect(places.filter((each) => each.chosen).map(({ id }) => id)).toEqual(["leeds"]);
  });
  it("sums lines by place and sizes circles by the largest", () => {
    const { places, largest } = picture(base, [], null);
    expect(largest).toBe(14);
    expect(places.map(({ id, lines }) => [id, lines])).toEqual([["metropolitan", 14], ["leeds", 5], ["portsmouth", 11], ["norwich", 8]]);
    expect(places[0]?.radiusPx).toBe(13);
  });
  it("takes what stays in a place for part of its ring, not for a line", () => {
    const { flows, places } = picture(answer([pair(0, 0, 7), pair(0, 2, 1)]), [], null);
    expect(flows).toHaveLength(1);
    expect(places.find(({ id }) => id === "metropolitan")?.lines).toBe(8);
  });
  it("adds what belongs to the selection once, and keeps the sizes of the rest", () => {
    const own = answer([pair(0, 1, 10), pair(2, 1, 3)], "area", [LONDON, PORTSMOUTH, hub("bradford", "west-yorkshire", -1.75, 53.79)]);
    const before = picture(base, [], null).places.find(({ id }) => id === "portsmouth");
    const { flows, places } = picture(base, [own], { collection: "towns", id: "portsmouth" });
    expect(flows).toHaveLength(5);
    const after = places.find(({ id }) => id === "portsmouth");
    // 10 of London, 3 of Bradford; the 1 of Leeds is in the other answer.
    expect(after?.lines).toBe(13);
    expect(after?.radiusPx).toBe(before?.radiusPx);
    expect(places.find(({ id }) => id === "bradford")).toMatchObject({ related: true, lines: 3 });
  });
  it("steps back whole if nothing belongs to the selection", () => {
    expect(picture(base, [], { collection: "forces", id: "btp" }).flows.every((flow) => !flow.related)).toBe(true);
  });
  it("is empty without an answer", () => {
    expect(picture(null, [], null)).toMatchObject({ places: [], flows: [], strongest: 1, capped: false });
  });
});

describe("scaleOf", () => {
  it("takes the strongest that is far enough to be seen while hubs are gathered", () => {
    expect(scaleOf(answer([pair(0, 4, 30), pair(0, 2, 10)]))).toEqual({ strongest: 10, capped: true });
    expect(picture(answer([pair(0, 4, 30), pair(0, 2, 10)]), [], null).flows.map(({ share }) => share)).toEqual([1, 1]);
  });
  it("takes the strongest of all close by, or if all are near", () => {
    expect(scaleOf(answer([pair(0, 4, 30), pair(0, 2, 10)], "place"))).toEqual({ strongest: 30, capped: false });
    expect(scaleOf(answer([pair(0, 4, 30)]))).toEqual({ strongest: 30, capped: false });
  });
});
