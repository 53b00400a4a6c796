// How strong a line looks: width, opacity and colour by its share of the strongest, size of a circle by its lines. Pure.
//
// Source: the rules of the map's flows: width 0.6 + 9.4 x share, opacity and colour by the root of the share.

const WIDTH_PX = { least: 0.6, more: 9.4 };
const OPACITY = { least: 0.4, most: 0.97 };
/** Radius of the largest circle and the least of each kind: a ring needs room for its core. */
const RADIUS_PX = { most: 13, ring: 4, dot: 2.4 };

/** From weak to strong. Lightness alone orders them, so that they hold in grey print and for colour-blind readers. */
const RAMP = {
  light: ["#b9c3dd", "#93a0d2", "#7a74c0", "#8a4aa5", "#a81e74", "#7a0a44"],
  dark: ["#3b4a78", "#5566b0", "#8b6fd0", "#d66fb3", "#ff9a76", "#ffd479"],
};

export type Rgb = [number, number, number];

/** Parts of a colour, 0 to 1. */
export function rgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

export function hex(parts: Rgb): string {
  return `#${parts.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;
}

const within = (value: number): number => Math.min(1, Math.max(0, value));

export const widthPx = (share: number): number => WIDTH_PX.least + WIDTH_PX.more * within(share);

export const opacity = (share: number): number =>
  OPACITY.least + (OPACITY.most - OPACITY.least) * Math.sqrt(within(share));

/** Colour of the ramp, straight between its stops. */
export function colour(share: number, dark: boolean): Rgb {
  const stops = dark ? RAMP.dark : RAMP.light;
  const at = Math.sqrt(within(share)) * (stops.length - 1);
  const below = Math.min(Math.floor(at), stops.length - 2);
  const [from, to] = [rgb(stops[below] ?? "#000000"), rgb(stops[below + 1] ?? "#000000")];
  return [0, 1, 2].map((part) => (from[part] ?? 0) + ((to[part] ?? 0) - (from[part] ?? 0)) * (at - below)) as Rgb;
}

/** Radius of a ring or dot: its area says how many lines end there, of the `most` that any circle has. */
export function radiusPx(lines: number, most: number, kind: "ring" | "dot"): number {
  return Math.max(RADIUS_PX[kind], RADIUS_PX.most * Math.sqrt(within(lines / Math.max(most, 1))));
}

/** The next lower number of one digit: 1, 2, 5 and their tenfolds. */
function round(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((step) => step * power <= value) ?? 1) * power;
}

/** Numbers of lines for the key, from weak to strong: the strongest there is, and round ones far enough apart to look it. */
export function samples(strongest: number): number[] {
  const found = [strongest];
  for (const part of [0.45, 0.15, 0.03]) {
    const next = round(Math.max(1, strongest * part));
    if (next < (found[0] ?? 0) * 0.75) found.unshift(next);
  }
  return found;
}
