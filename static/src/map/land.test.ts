import { readFileSync } from "node:fs";
import type { MultiPolygon } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { describe, expect, it } from "vitest";
import { cut } from "../../build/land.ts";
import { type LandFile, decode } from "./land.ts";

const read = (): Topology<Record<string, GeometryCollection<{ iso: string }>>> =>
  JSON.parse(readFileSync(new URL("../../../data/reference/land.topojson", import.meta.url), "utf8"));

describe("the land", () => {
  const topology = read();
  const land = decode(cut(topology, ["land_low", "neighbours_low"]) as unknown as LandFile);

  it("is decoded as topojson-client decodes it", () => {
    const low = topology.objects.land_low as GeometryCollection<{ iso: string }>;
    expect(land.land.features.slice(0, low.geometries.length)).toEqual(feature(topology, low).features);
  });
  it("has the coast that topojson-client finds", () => {
    const [low, more] = [topology.objects.land_low, topology.objects.neighbours_low];
    const all = { type: "GeometryCollection" as const, geometries: [...(low?.geometries ?? []), ...(more?.geometries ?? [])] };
    expect(land.coast.features[0]?.geometry).toEqual(mesh(topology, all, (a, b) => a === b));
  });
  it("closes every ring", () => {
    for (const { geometry } of land.land.features) {
      for (const ring of (geometry as MultiPolygon).coordinates.flat()) expect(ring[0]).toEqual(ring.at(-1));
    }
  });
  it("draws the border in Ireland once, and not as coast", () => {
    const border = land.coast.features.find(({ properties }) => properties?.kind === "border");
    const positions = JSON.stringify(border?.geometry);
    // Near Newry the border reaches the sea at 54.1 N, 6.3 W.
    expect(positions).toMatch(/\[-6\.\d+,54\.\d+\]/);
  });
});
