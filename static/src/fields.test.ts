import { describe, expect, it } from "vitest";
import * as fields from "./fields.ts";
import * as state from "./state.ts";

describe("value", () => {
  const show = (raw: unknown, name = "x", ours = false): string | null => fields.value(raw, name, undefined, ours);

  it("writes numbers the British way, and names as they are", () => {
    expect(show(1234567.5)).toBe("1,234,567.5");
    expect(show(2024, "year")).toBe("2024");
    expect(show(2639996, "geonames_id")).toBe("2639996");
  });

  it("writes months, days and times in words", () => {
    expect(show("2018-11")).toBe("Nov 2018");
    expect(show("2024-02-29")).toBe("29 Feb 2024");
    // 13:05 UTC is 14:05 in British summer.
    expect(show("2024-06-01T13:05:00Z")).toBe("1 Jun 2024, 14:05");
    expect(show("2018-13")).toBe("2018-13");
    expect(show("2024-99-99")).toBe("2024-99-99");
  });

  it("tells unknown from zero and no", () => {
    for (const raw of [null, undefined, ""]) expect(show(raw)).toBeNull();
    expect(show(0)).toBe("0");
    expect(show(false)).toBe("No");
  });

  it("turns our own ids into words, and leaves those of others", () => {
    expect(show("northern-ireland", "country", true)).toBe("Northern Ireland");
    expect(show("avon-and-somerset", "force", true)).toBe("Avon and Somerset");
    expect(show("northern-ireland", "country")).toBe("northern-ireland");
  });

  it("names councils once their names are known, except in the field that is the code", () => {
    expect(show("E06000044", "council", true)).toBe("E06000044");
    state.councils.value = { E06000044: "Portsmouth" };
    expect(show("E06000044", "council", true)).toBe("Portsmouth");
    expect(show("E06000044", "code", true)).toBe("E06000044");
    expect(show("E06000044", "council")).toBe("E06000044");
  });

  it("writes our own sums of money in pounds", () => {
    expect(show(2_610_000, "revenue_pence_per_week", true)).toBe("£26,100");
    expect(show(2_610_000, "revenue_pence_per_week")).toBe("2,610,000");
  });
});

describe("lists", () => {
  it("are separated by commas, in collections of ours", () => {
    expect(fields.value("crack;heroin", "commodities", undefined, true)).toBe("crack, heroin");
    expect(fields.value("crack;heroin", "commodities", undefined)).toBe("crack;heroin");
    expect(fields.value(["crack", "heroin"], "commodities", undefined)).toBe("crack, heroin");
    expect(fields.value([], "commodities", undefined)).toBeNull();
  });
});

describe("stations", () => {
  it("have their minutes on foot said", () => {
    expect(fields.value("PMS:2 FTN:22", "stations", undefined)).toBe("PMS 2 min, FTN 22 min");
    expect(fields.value("PMS:2 FTN", "stations", undefined)).toBe("PMS:2 FTN");
  });
});

describe("titles", () => {
  it("are words with their unit", () => {
    expect(fields.fieldTitle("crime_type", { title: "crime_type" })).toBe("Crime type");
    expect(fields.fieldTitle("length", { title: "Length", "x-ogc-unit": "m" })).toBe("Length (m)");
    expect(fields.fieldTitle("trips_per_week", { title: "Journeys a week", "x-ogc-unit": "/wk" })).toBe("Journeys a week");
  });
});

describe("references", () => {
  const id = "ccec0d6f-7988-49da-9c83-b23f306cdf8e";
  it("lead to the feature that a random identifier names", () => {
    expect(fields.reference(id, "line")).toEqual({ collection: "lines", id });
    expect(fields.reference("croydon", "line")).toBeNull();
    expect(fields.reference(id, "colour")).toBeNull();
    expect(fields.reference(null, "line")).toBeNull();
  });
});
