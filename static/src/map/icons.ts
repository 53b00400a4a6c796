// Pictures of the map as signed distance fields, so that a layer can colour them and give them a halo.

export interface Picture {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** Pixels of the picture for one on the screen. */
export const PICTURE_RATIO = 2;

/** A picture of what lies where `distance` (screen pixels from the middle, negative inside) is below zero. */
function draw(sidePixels: number, distance: (x: number, y: number) => number): Picture {
  const side = sidePixels * PICTURE_RATIO;
  const data = new Uint8ClampedArray(side * side * 4);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = (column + 0.5) / PICTURE_RATIO - sidePixels / 2;
      const y = (row + 0.5) / PICTURE_RATIO - sidePixels / 2;
      // MapLibre: the edge is at 3/4, and an eighth is one pixel.
      data[(row * side + column) * 4 + 3] = 255 * (0.75 - distance(x, y) / 8);
    }
  }
  return { width: side, height: side, data };
}

const bar = (x: number, y: number): number =>
  Math.max(Math.abs(y) - 1, Math.abs(Math.abs(x) - 8) - 4);

/** A diamond with a rim, hatched from the upper left to the lower right. */
function diamond(x: number, y: number): number {
  const edge = (Math.abs(x) + Math.abs(y) - 9) * Math.SQRT1_2;
  const stripe = Math.abs(((x - y + 40) % 4) - 2) * Math.SQRT1_2 - 0.6;
  return Math.max(edge, Math.min(stripe, -1.4 - edge));
}

export const PICTURES: Record<string, Picture> = {
  address: draw(22, diamond),
  dot: draw(12, (x, y) => Math.hypot(x, y) - 2.6),
  cross: draw(32, (x, y) => Math.min(bar(x, y), bar(y, x), Math.abs(Math.hypot(x, y) - 8) - 1)),
};

const HATCH = 7;

/** The name of a hatching in a colour. */
export const hatchOf = (colour: string): string => `hatch-${colour}`;

/** A square of hatching from the lower left to the upper right, which goes on in the next one. */
export function hatching(colour: string): Picture {
  const side = HATCH * PICTURE_RATIO;
  const data = new Uint8ClampedArray(side * side * 4);
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  for (let at = 0; at < side * side; at++) {
    const across = ((at % side) + Math.floor(at / side) + 0.5) % side;
    // A stripe of a good pixel, with soft edges.
    const alpha = Math.max(0, Math.min(1, 1.4 - Math.abs(across - side / 2)));
    data.set([red ?? 0, green ?? 0, blue ?? 0, 255 * alpha], at * 4);
  }
  return { width: side, height: side, data };
}
