import { beforeEach, describe, expect, it } from "vitest";
import type { Session } from "./api/client.ts";
import { flowsPath } from "./api/flows.ts";
import { chosen, day, questionsOf } from "./flows.ts";
import * as state from "./state.ts";

const DAY = "2024-04-30";

describe("questions about the selection", () => {
  it("ask of a hub where its own lines go, gathered or not", () => {
    const question = { level: "place", datetime: DAY, limit: 1000, from: "hubs:lambeth" };
    expect(questionsOf({ collection: "hubs", id: "lambeth" }, true, DAY)).toEqual({ out: question });
    expect(questionsOf({ collection: "hubs", id: "lambeth" }, false, DAY)).toEqual({ out: question });
  });
  it("ask of a town which areas, or close by which hubs, feed it", () => {
    const town = { collection: "towns", id: "portsmouth" };
    expect(questionsOf(town, true, DAY)).toEqual({ into: { level: "auto", zoom: 5, datetime: DAY, limit: 1000, to: "towns:portsmouth" } });
    expect(questionsOf(town, false, DAY)).toEqual({ into: { level: "place", datetime: DAY, limit: 1000, to: "towns:portsmouth" } });
  });
  it("ask of a force or region both ways", () => {
    const found = questionsOf({ collection: "regions", id: "south-east" }, true, DAY);
    expect(found.out?.from).toBe("regions:south-east");
    expect(found.into?.to).toBe("regions:south-east");
  });
  it("are asked of what can be an end, and of nothing else", () => {
    for (const collection of ["hubs", "towns", "forces", "regions"]) {
      state.selection.value = { collection, id: "a" };
      expect(chosen.value).toEqual({ collection, id: "a" });
    }
    for (const collection of ["places", "stations", "lines"]) {
      state.selection.value = { collection, id: "a" };
      expect(chosen.value).toBeNull();
    }
    state.selection.value = null;
    expect(chosen.value).toBeNull();
  });
  it("are written as the server reads them", () => {
    expect(flowsPath({ level: "auto", zoom: 5, datetime: DAY, limit: 150 })).toBe("/api/flows?level=auto&zoom=5&datetime=2024-04-30&limit=150");
    expect(flowsPath({ level: "place", datetime: DAY, limit: 9, from: "hubs:a b&c" })).toContain("&from=hubs%3Aa+b%26c");
  });
});

describe("the day", () => {
  const session: Session = {
    role: "public",
    own: [],
    reason_given: false,
    reason_wanted_for: [],
    roles: [],
    forces: [],
    regions: [],
    areas: [],
    register: "synthetic",
    synthetic: true,
    reference_date: null,
    marking: "OFFICIAL",
  };
  const today = new Date().toISOString().slice(0, 10);
  beforeEach(() => {
    state.session.value = null;
    state.failures.value = [];
  });
  it("is not known before the session is", () => {
    expect(day.value).toBeNull();
  });
  it("is the one that the store is drawn for, else today", () => {
    state.session.value = { ...session, reference_date: DAY };
    expect(day.value).toBe(DAY);
    state.session.value = { ...session, reference_date: null };
    expect(day.value).toBe(today);
    state.session.value = session;
    expect(day.value).toBe(today);
  });
  it("is today if the session cannot be read", () => {
    state.failures.value = [{ key: "session", text: "" }];
    expect(day.value).toBe(today);
  });
});
