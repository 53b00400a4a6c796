// The curve of a line between places and how far a point is from it, in pixels of the screen. Pure.
//
// All curves have one shape: a quadratic with its control point off the middle by 16 % of the length, always to the left of
// the way from origin to destination, so that there and back part. Along the chord (u) the offset from it is then the
// parabola BEND * u * (1 - u / length), which makes length, ends and distance easy. The shader in shaders.ts draws the same.

export interface Point {
  x: number;
  y: number;
}

/** A line as it lies on the screen. */
export interface ScreenLine {
  from: Point;
  to: Point;
  /** Radius of the circle that it leaves and of that which it reaches. */
  startPx: number;
  endPx: number;
  widthPx: number;
}

/** Offset of the control point, as a share of the length. */
export const CONTROL = 0.16;
/** A quadratic passes at half the offset of its control point: y = 2 t (1 - t) * 0.16 * length. */
export const BEND = 2 * CONTROL;

export const HEAD = { widths: 2.6, thinnest: 2, mostPx: 14, mostShare: 1 / 3 };

const TAPER = 0.45;

/** Position at `t` of the way, 0 to 1. The screen's y goes down, so left of the way is (dy, -dx). */
export function pointAt({ from, to }: { from: Point; to: Point }, t: number): Point {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const off = BEND * t * (1 - t);
  return { x: from.x + dx * t + dy * off, y: from.y + dy * t - dx * off };
}

/** How long a step of `t` is, in lengths of the chord. */
export const speed = (t: number): number => Math.hypot(1, BEND * (1 - 2 * t));

/** Where the curve leaves a circle about its start: the share of the way. By symmetry the same before its end. */
export function exitAt(radiusPx: number, lengthPx: number): number {
  const ratio = radiusPx / lengthPx;
  let t = ratio;
  // Converges by a factor of about 0.1 a step.
  for (let step = 0; step < 3; step++) t = ratio / Math.hypot(1, BEND * (1 - t));
  return t;
}

/** Width at a share of the drawn way: narrow where it comes from. */
export const widthAt = (widthPx: number, share: number): number => widthPx * (TAPER + (1 - TAPER) * share);

/** Length of the arrow head. The thinnest lines have that of a 2 px one, or their direction could not be seen. */
export function headPx(widthPx: number, drawnPx: number): number {
  return Math.min(HEAD.widths * Math.max(widthPx, HEAD.thinnest), HEAD.mostPx, drawnPx * HEAD.mostShare);
}

/** Distance of a point from the drawn part of a line, from its centre line; infinite if nothing is drawn between the circles. */
export function distancePx(line: ScreenLine, point: Point): number {
  const { from, to, startPx, endPx } = line;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  if (length <= startPx + endPx) return Number.POSITIVE_INFINITY;
  const [first, last] = [exitAt(startPx, length), 1 - exitAt(endPx, length)];
  const [px, py] = [point.x - from.x, point.y - from.y];
  // Along the chord and off it, as shares of the length.
  const along = (px * dx + py * dy) / length ** 2;
  const off = (px * dy - py * dx) / length ** 2;
  // Newton's method on the square of the distance, from the foot on the chord: the curve is flat, so two steps do.
  let t = along;
  for (let step = 0; step < 2; step++) {
    const [gap, slope] = [BEND * t * (1 - t) - off, BEND * (1 - 2 * t)];
    const bent = 1 + slope ** 2 - 2 * BEND * gap;
    if (bent > 0) t -= (t - along + gap * slope) / bent;
  }
  t = Math.min(last, Math.max(first, t));
  return length * Math.hypot(t - along, BEND * t * (1 - t) - off);
}

/** The nearest line within reach of a point, by its place in the list; of equally near ones the last, which lies on top. */
export function nearest(lines: (ScreenLine | null)[], point: Point, reachPx: number): number | null {
  let best: { at: number; distance: number } | null = null;
  lines.forEach((line, at) => {
    if (!line || !mayReach(line, point, reachPx)) return;
    const distance = distancePx(line, point);
    if (distance <= Math.max(reachPx, line.widthPx / 2) && distance <= (best?.distance ?? Infinity)) best = { at, distance };
  });
  return (best as { at: number } | null)?.at ?? null;
}

/** Whether a point lies in the box of a line: most lines are far away, and this is cheap. */
function mayReach({ from, to, widthPx }: ScreenLine, { x, y }: Point, reachPx: number): boolean {
  // Half the offset of the control point, in both directions of the box.
  const room = reachPx + widthPx + (CONTROL / 2) * (Math.abs(to.x - from.x) + Math.abs(to.y - from.y));
  return (
    x >= Math.min(from.x, to.x) - room &&
    x <= Math.max(from.x, to.x) + room &&
    y >= Math.min(from.y, to.y) - room &&
    y <= Math.max(from.y, to.y) + room
  );
}
