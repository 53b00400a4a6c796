// The one layer of the map that draws itself: all lines between places in one draw call. The map hands it its graphics context.
//
// In: lines with their ends in degrees, in drawing order. It draws when the map draws, and never asks for a frame itself.
// Not here: which lines there are (picture.ts), rings, dots and names (marks.ts).
import type { CustomLayerInterface, CustomRenderMethodInput } from "maplibre-gl";
import { type ScreenLine, nearest } from "./geometry.ts";
import type { DrawnFlow } from "./picture.ts";
import { type Rgb, colour, opacity, rgb, widthPx } from "./scale.ts";
import { FRAGMENT, HEAD_ROWS, VERTEX } from "./shaders.ts";

/** The origin of the offsets, near the middle of Great Britain: so 32 bits are enough to stand still at the deepest zoom. */
const ORIGIN = mercator(-2, 53.5);
const FADED = 0.06;
const FLOATS = 12;
/** The tip stays clear of the dot's pale rim. */
const TIP_GAP_PX = 1;
const UNIFORMS = ["u_scale", "u_shift", "u_screen", "u_land", "u_ratio", "u_steps", "u_hover"] as const;

interface Card {
  program: WebGLProgram;
  buffer: WebGLBuffer;
  array: WebGLVertexArrayObject;
  at: Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
}

/** Position in the square of Web Mercator, 0 to 1 from the north-west. */
export function mercator(lon: number, lat: number): { x: number; y: number } {
  const y = Math.asinh(Math.tan((lat * Math.PI) / 180));
  return { x: lon / 360 + 0.5, y: 0.5 - y / (2 * Math.PI) };
}

/** Offsets from the origin -> pixels of the screen: scale and shift of x and y. */
interface ToScreen {
  scale: [number, number];
  shift: [number, number];
}

/**
 * Folds the map's matrix (Mercator square -> clip space) with origin and screen, in double precision. The map is never
 * tilted or turned, so x and y are scaled and shifted, and the last row is the same everywhere.
 */
export function toScreen(matrix: ArrayLike<number>, width: number, height: number): ToScreen {
  const at = (index: number): number => matrix[index] ?? 0;
  const w = at(15);
  const [x, y] = [(at(0) * ORIGIN.x + at(12)) / w, (at(5) * ORIGIN.y + at(13)) / w];
  return {
    scale: [(at(0) / w) * (width / 2), (-at(5) / w) * (height / 2)],
    shift: [(x + 1) * (width / 2), (1 - y) * (height / 2)],
  };
}

/** Twelve numbers a line: ends, sizes, colour, as the vertex shader reads them. */
export function instances(flows: DrawnFlow[], dark: boolean): Float32Array<ArrayBuffer> {
  const data = new Float32Array(flows.length * FLOATS);
  flows.forEach((flow, at) => {
    const [from, to] = [mercator(flow.from.lon, flow.from.lat), mercator(flow.to.lon, flow.to.lat)];
    const ends = [from.x - ORIGIN.x, from.y - ORIGIN.y, to.x - ORIGIN.x, to.y - ORIGIN.y];
    const size = [widthPx(flow.share), flow.from.radiusPx, flow.to.radiusPx + TIP_GAP_PX, flow.related ? 1 : FADED];
    data.set([...ends, ...size, ...colour(flow.share, dark), opacity(flow.share)], at * FLOATS);
  });
  return data;
}

/** Steps of a curve: a long one close by would show its corners. */
const stepsAt = (pixelsOfDegree: number): number => (pixelsOfDegree > 1000 ? 64 : pixelsOfDegree > 150 ? 32 : 20);

export class FlowLayer implements CustomLayerInterface {
  readonly id = "flow";
  readonly type = "custom" as const;
  readonly renderingMode = "2d" as const;

  private flows: DrawnFlow[] = [];
  private data = new Float32Array();
  private land: Rgb = [1, 1, 1];
  private stale = true;
  private hovered = -1;
  private card: Card | null = null;
  private place: ToScreen | null = null;

  /** `failed` is called once if the graphics card cannot draw the lines. */
  constructor(private readonly failed: (reason: string) => void) {}

  set(flows: DrawnFlow[], dark: boolean, land: string): void {
    this.flows = flows;
    this.data = instances(flows, dark);
    this.land = rgb(land);
    this.stale = true;
  }

  /** Makes the line with this key wider. */
  hover(key: string | null): boolean {
    const next = key === null ? -1 : this.flows.findIndex((flow) => flow.key === key);
    const changed = next !== this.hovered;
    this.hovered = next;
    return changed;
  }

  /** The line within reach of a point of the screen, if one is. Faded lines are out of reach. */
  at(x: number, y: number, reachPx: number): DrawnFlow | null {
    const lines = this.flows.map((flow) => (flow.related ? this.onScreen(flow) : null));
    const found = nearest(lines, { x, y }, reachPx);
    return found === null ? null : (this.flows[found] ?? null);
  }

  private onScreen({ from, to, share }: DrawnFlow): ScreenLine | null {
    const { place } = this;
    if (!place) return null;
    const project = ({ lon, lat }: { lon: number; lat: number }): { x: number; y: number } => {
      const { x, y } = mercator(lon, lat);
      return { x: (x - ORIGIN.x) * place.scale[0] + place.shift[0], y: (y - ORIGIN.y) * place.scale[1] + place.shift[1] };
    };
    return { from: project(from), to: project(to), startPx: from.radiusPx, endPx: to.radiusPx, widthPx: widthPx(share) };
  }

  onAdd(_map: unknown, gl: WebGL2RenderingContext): void {
    this.stale = true;
    this.card = null;
    const program = compile(gl);
    if (typeof program === "string") {
      this.failed(program);
      return;
    }
    const buffer = gl.createBuffer();
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const location of [0, 1, 2]) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, FLOATS * 4, location * 16);
      gl.vertexAttribDivisor(location, 1);
    }
    gl.bindVertexArray(null);
    const at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)])) as Card["at"];
    this.card = { program, buffer, array, at };
  }

  onRemove(_map: unknown, gl: WebGL2RenderingContext): void {
    if (!this.card) return;
    gl.deleteProgram(this.card.program);
    gl.deleteBuffer(this.card.buffer);
    gl.deleteVertexArray(this.card.array);
    this.card = null;
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    // The map writes the canvas' size there; asking the page for it would make it lay itself out.
    const { style } = gl.canvas as HTMLCanvasElement;
    const [width, height] = [Number.parseFloat(style.width), Number.parseFloat(style.height)];
    this.place = toScreen(defaultProjectionData.mainMatrix, width, height);
    if (!this.card || this.flows.length === 0) return;
    const { program, buffer, array, at } = this.card;
    gl.useProgram(program);
    gl.bindVertexArray(array);
    if (this.stale) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.data, gl.DYNAMIC_DRAW);
      this.stale = false;
    }
    const steps = stepsAt(this.place.scale[0] / 360);
    gl.uniform2fv(at.u_scale, this.place.scale);
    gl.uniform2fv(at.u_shift, this.place.shift);
    gl.uniform2f(at.u_screen, width, height);
    gl.uniform3fv(at.u_land, this.land);
    gl.uniform1f(at.u_ratio, gl.drawingBufferWidth / width);
    gl.uniform1f(at.u_steps, steps);
    gl.uniform1f(at.u_hover, this.hovered);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 2 * (steps + 1 + HEAD_ROWS), this.flows.length);
    gl.bindVertexArray(null);
  }
}

/** The program, or why there is none. */
function compile(gl: WebGL2RenderingContext): WebGLProgram | string {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return "no shader";
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (gl.getProgramParameter(program, gl.LINK_STATUS) || gl.isContextLost()) return program;
  return gl.getProgramInfoLog(program) ?? "no program";
}
