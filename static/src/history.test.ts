import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** A browser's history as far as the page uses it: entries, and going back through them. */
function fakeBrowser(fragment: string) {
  const entries = [fragment];
  let at = 0;
  const listeners: (() => void)[] = [];
  const location = { get hash() { return entries[at] ?? ""; }, pathname: "/" };
  const put = (address: string): string => (address === location.pathname ? "" : address);
  return {
    entries,
    location,
    history: {
      pushState(_: unknown, __: string, address: string) {
        at += 1;
        entries.splice(at, entries.length, put(address));
      },
      replaceState(_: unknown, __: string, address: string) {
        entries[at] = put(address);
      },
    },
    addEventListener(name: string, listener: () => void) {
      if (name === "popstate") listeners.push(listener);
    },
    go(steps: number) {
      at += steps;
      for (const listener of listeners) listener();
    },
  };
}

/** The page opened at an address; every test has modules, and so a state, of its own. */
async function open(fragment: string) {
  const browser = fakeBrowser(fragment);
  vi.stubGlobal("location", browser.location);
  vi.stubGlobal("history", browser.history);
  vi.stubGlobal("addEventListener", browser.addEventListener);
  vi.stubGlobal("window", globalThis);
  const state = await import("./state.ts");
  const { keepAddress, readAddress } = await import("./history.ts");
  readAddress();
  keepAddress();
  return { browser, state };
}

const rest = (): void => void vi.advanceTimersByTime(1_000);
const VIEW = { lon: -1, lat: 51, zoom: 9 };

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the address of the page", () => {
  it("is read into the state", async () => {
    const { state } = await open("#v=-1,51,9&l=places,mine&s=mine:7&tab=table:mine");
    expect(state.view.value).toEqual(VIEW);
    expect(state.shown.value).toEqual(["places", "mine"]);
    expect(state.selection.value).toEqual({ collection: "mine", id: "7" });
    expect(state.tableOpen.value).toBe(true);
    expect(state.tableWanted.value).toBe("mine");
  });

  it("stays as it is until the layers are known", async () => {
    const { browser, state } = await open("");
    state.view.value = VIEW;
    rest();
    expect(browser.entries).toEqual([""]);
    state.shown.value = ["places"];
    rest();
    expect(browser.entries).toEqual(["#v=-1,51,9&l=places"]);
  });

  it("is replaced by moving, once the map rests", async () => {
    const { browser, state } = await open("#v=-1,51,9&l=places");
    for (let step = 1; step <= 20; step++) {
      state.view.value = { ...VIEW, lon: -1 + step / 100 };
      vi.advanceTimersByTime(16);
    }
    expect(browser.entries).toEqual(["#v=-1,51,9&l=places"]);
    rest();
    expect(browser.entries).toEqual(["#v=-0.8,51,9&l=places"]);
  });

  it("gets an entry for each change of layers, selection and table", async () => {
    const { browser, state } = await open("#v=-1,51,9&l=places");
    rest();
    state.shown.value = ["places", "mine"];
    state.selection.value = { collection: "mine", id: "7" };
    state.tableOpen.value = true;
    rest();
    expect(browser.entries).toEqual([
      "#v=-1,51,9&l=places",
      "#v=-1,51,9&l=places,mine",
      "#v=-1,51,9&l=places,mine&s=mine:7",
      "#v=-1,51,9&l=places,mine&s=mine:7&tab=table",
    ]);
  });

  it("says that no layer is on", async () => {
    const { browser, state } = await open("#l=places");
    state.shown.value = [];
    rest();
    expect(browser.entries.at(-1)).toBe("#l=");
  });
});

describe("Back", () => {
  it("brings back what was there, the view too, and makes no entry of its own", async () => {
    const { browser, state } = await open("#v=-1,51,9&l=places");
    rest();
    state.selection.value = { collection: "places", id: "7" };
    state.view.value = { lon: -2, lat: 52, zoom: 11 };
    rest();
    expect(browser.entries).toHaveLength(2);
    browser.go(-1);
    rest();
    expect(state.selection.value).toBeNull();
    expect(state.camera.value).toEqual({ do: "jump", view: VIEW });
    expect(browser.entries).toHaveLength(2);
    browser.go(1);
    rest();
    expect(state.selection.value).toEqual({ collection: "places", id: "7" });
    expect(browser.entries).toHaveLength(2);
  });

  it("brings back layers and closes the table", async () => {
    const { browser, state } = await open("#v=-1,51,9&l=places,mine");
    rest();
    state.shown.value = [];
    state.tableOpen.value = true;
    rest();
    browser.go(-2);
    expect(state.shown.value).toEqual(["places", "mine"]);
    expect(state.tableOpen.value).toBe(false);
  });

  it("keeps the selected feature if it stays the same", async () => {
    const { browser, state } = await open("#v=-1,51,9&l=places&s=places:7");
    rest();
    const chosen = state.selection.value;
    state.tableOpen.value = true;
    rest();
    browser.go(-1);
    expect(state.selection.value).toBe(chosen);
  });
});
