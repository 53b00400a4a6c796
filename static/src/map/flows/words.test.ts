import { describe, expect, it } from "vitest";
import type { FlowPlace, FlowTotals, Flows } from "../../api/flows.ts";
import { byPlace, countsTwice, dayInWords, pairInWords, placeInWords, shownInWords, strengthInWords, sumInWords } from "./words.ts";

const totals = (flows: number, lines: number): FlowTotals => ({ flows, lines, legs: lines, trips_per_week: lines * 5 });
const place = (label: string, kind: FlowPlace["kind"]): FlowPlace => ({
  collection: "towns", id: label.toLowerCase(), label, lon: 0, lat: 52, force: null, region: null, kind,
});
const answer = (flows: [number, number, number][], lines: number): Flows => ({
  reference_date: "2024-04-30",
  data_version: "1",
  synthetic: true,
  levels: { origin: "area", destination: "place" },
  legs_without_ends: 0,
  totals: totals(flows.length, lines),
  shown: totals(flows.length, lines),
  places: [place("London", "origin"), place("Leeds", "origin"), place("York", "destination"), place("Hull", "destination")],
  flows: flows.map(([origin, destination, n]) => ({ origin, destination, lines: n, legs: n, trips_per_week: n, minutes: null })),
});

describe("words", () => {
  it("say the day in full", () => {
    expect(dayInWords("2024-04-30")).toBe("30 April 2024");
    expect(dayInWords("soon")).toBe("soon");
  });
  it("say what is drawn and what is not", () => {
    const said = (all: FlowTotals, shown: FlowTotals): string => shownInWords({ totals: all, shown }, "drawn");
    expect(said(totals(812, 850), totals(150, 610))).toBe(
      "The 150 strongest of 812 pairs of places are drawn; 662 weaker pairs are not drawn (240 lines)",
    );
    expect(said(totals(1151, 1200), totals(150, 1199))).toBe(
      "The 150 strongest of 1,151 pairs of places are drawn; 1,001 weaker pairs are not drawn (1 line)",
    );
    // A line that goes to another town too, and is drawn there, is not missing.
    expect(said(totals(151, 60), totals(150, 60))).toBe("The 150 strongest of 151 pairs of places are drawn; 1 weaker pair is not drawn");
    expect(said(totals(96, 90), totals(96, 90))).toBe("All 96 pairs of places are drawn");
    expect(said(totals(1, 1), totals(1, 1))).toBe("The only pair of places is drawn");
    expect(said(totals(0, 0), totals(0, 0))).toBe("No line was active on this day");
    expect(shownInWords({ totals: totals(3, 3), shown: totals(3, 3) }, "listed")).toBe("All 3 pairs of places are listed");
  });
  it("say a pair and its strength", () => {
    expect(pairInWords({ from: { label: "London" }, to: { label: "Norwich" } })).toBe("London to Norwich");
    expect(strengthInWords({ lines: 12, trips: 55.2 })).toBe("12 lines, 55 journeys a week");
    expect(strengthInWords({ lines: 1, trips: 0.6 })).toBe("1 line, 1 journey a week");
    expect(strengthInWords({ lines: 2, trips: null })).toBe("2 lines, journeys not known");
  });
  it("say what a circle is", () => {
    expect(placeInWords({ kind: "origin", collection: "forces", lines: 290 })).toBe("Exporting area · 290 lines drawn");
    expect(placeInWords({ kind: "origin", collection: "hubs", lines: 1 })).toBe("Exporting hub · 1 line drawn");
    expect(placeInWords({ kind: "destination", collection: "towns", lines: 14 })).toBe("Destination town · 14 lines drawn");
  });
});

describe("the list of the drawer", () => {
  const both = answer([[0, 2, 17], [0, 3, 1], [1, 2, 4]], 20);
  it("sums by the other end, the strongest first, then by name", () => {
    expect(byPlace(both, "origin").map(({ place: { label }, lines }) => [label, lines])).toEqual([["London", 18], ["Leeds", 4]]);
    expect(byPlace(answer([[0, 2, 3], [0, 3, 3]], 6), "destination").map(({ place: { label } }) => label)).toEqual(["Hull", "York"]);
  });
  it("says how many lines there are, which is not the sum if a line goes to two towns", () => {
    expect(sumInWords(both, "origin")).toBe("20 lines from 2 areas");
    expect(sumInWords(answer([[0, 2, 1]], 1), "destination")).toBe("1 line to 1 town");
    expect(countsTwice(both)).toBe(true);
    expect(countsTwice(answer([[0, 2, 17], [1, 2, 3]], 20))).toBe(false);
  });
});
