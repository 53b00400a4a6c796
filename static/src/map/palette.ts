// Colours of the map in both themes. Contrasts with land and sea are those of the style tokens.

export interface Palette {
  sea: string;
  /** Pale bands of shallow water along the coast, outer and inner. */
  wash: [string, string];
  land: string;
  otherLand: string;
  coast: string;
  border: string;
  text: string;
  text2: string;
  /** Names of villages and stations: the quietest text. */
  text3: string;
  halo: string;
  rail: string;
  boundary: string;
  accent: string;
  /** Six ordered tones of layers without a style of their own; then exporter, destination, cuckooed address, corridor. */
  tones: [string, string, string, string, string, string, string, string, string, string];
}

export const LIGHT: Palette = {
  sea: "#dfe7ec",
  wash: ["#e6edf1", "#edf2f5"],
  land: "#f7f7f4",
  otherLand: "#eceeeb",
  coast: "#a3b4bf",
  border: "#b9c0bd",
  text: "#1d2a35",
  text2: "#4a5b69",
  text3: "#5b6a77",
  halo: "#f7f7f4",
  rail: "#8a8173",
  boundary: "#8b98a3",
  accent: "#1d5fa8",
  tones: ["#3b6fb6", "#9a5b13", "#6b4fa8", "#b3472f", "#4f7326", "#51606e", "#a81e74", "#00707a", "#b45309", "#8a8173"],
};

export const DARK: Palette = {
  sea: "#0f1720",
  wash: ["#111a24", "#131e29"],
  land: "#1a2430",
  otherLand: "#151d27",
  coast: "#3a4d5e",
  border: "#33424f",
  text: "#e6edf3",
  text2: "#a9b8c6",
  text3: "#93a4b3",
  halo: "#141d27",
  rail: "#6f8397",
  boundary: "#5a6b7a",
  accent: "#7db4f0",
  tones: ["#7db4f0", "#e0ac5c", "#b9a3f2", "#f0917c", "#a3cf78", "#b4c2cf", "#ff9a76", "#4cc9f0", "#ffb84d", "#6f8397"],
};

/** Places of the tones that mean something. */
export const EXPORTER = 6;
export const DESTINATION = 7;

export const palette = (dark: boolean): Palette => (dark ? DARK : LIGHT);
