// The lines between places on the graphics card: one instance a line, the shape in the vertex shader, edges in the fragment shader.
//
// In: ends in offsets from an origin, which two uniforms turn into pixels; everything else is in pixels of the screen.
// The curve, the circles' edges and the arrow head are those of geometry.ts: change both.
import { BEND, HEAD } from "./geometry.ts";

/** Rows of two vertices: along the body, then before and behind the head. */
export const HEAD_ROWS = 3;

const float = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

export const VERTEX = `#version 300 es
precision highp float;
const float BEND = ${float(BEND)};
/** The casing and the soft edge of what is drawn. */
const float EDGE = 2.2;
layout(location = 0) in vec4 a_ends;
/** Width, radii of both circles, how far it is faded. */
layout(location = 1) in vec4 a_size;
/** Colour and opacity. */
layout(location = 2) in vec4 a_colour;
uniform vec2 u_scale;
uniform vec2 u_shift;
uniform vec2 u_screen;
uniform float u_steps;
uniform float u_hover;
out vec4 v_place;
flat out vec4 v_colour;
flat out vec4 v_shape;

float speed(float t) {
  return length(vec2(1.0, BEND * (1.0 - 2.0 * t)));
}
float exitAt(float ratio) {
  float t = ratio;
  for (int step = 0; step < 3; step++) t = ratio / length(vec2(1.0, BEND * (1.0 - t)));
  return t;
}
void main() {
  vec2 from = a_ends.xy * u_scale + u_shift;
  vec2 way = (a_ends.zw - a_ends.xy) * u_scale;
  float size = length(way);
  if (size <= a_size.y + a_size.z + 1.0) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    return;
  }
  vec2 left = vec2(way.y, -way.x);
  float lit = float(gl_InstanceID) == u_hover ? 1.0 : 0.0;
  float width = a_size.x + 2.0 * lit;
  float first = exitAt(a_size.y / size);
  float last = 1.0 - exitAt(a_size.z / size);
  float drawn = (last - first) * size;
  float head = min(min(${float(HEAD.widths)} * max(width, ${float(HEAD.thinnest)}), ${float(HEAD.mostPx)}), drawn * ${float(HEAD.mostShare)});
  float wing = 0.5 * width + min(0.26 * head, 3.0);
  float pixel = 1.0 / (size * speed(last));
  float neck = last - (head + EDGE) * pixel;

  float row = float(gl_VertexID / 2);
  float t = mix(first - EDGE / (size * speed(first)), neck, min(row / u_steps, 1.0));
  if (row > u_steps + 1.0) t = row > u_steps + 2.0 ? last + EDGE * pixel : last - 0.5 * head * pixel;
  float share = clamp((t - first) / (last - first), 0.0, 1.0);
  float body = 0.5 * width * mix(0.45, 1.0, share);
  float reach = (row > u_steps ? wing : body) + EDGE;

  float across = (gl_VertexID & 1) == 0 ? reach : -reach;
  float slope = BEND * (1.0 - 2.0 * t);
  vec2 unit = left / size;
  vec2 normal = (unit - slope * way / size) / speed(t);
  vec2 at = from + way * t + left * (BEND * t * (1.0 - t)) + normal * across;
  gl_Position = vec4(at.x / u_screen.x * 2.0 - 1.0, 1.0 - at.y / u_screen.y * 2.0, 0.0, 1.0);

  v_place = vec4(across, (last - t) / pixel, share, body);
  v_colour = vec4(a_colour.rgb, mix(a_colour.a, 1.0, lit));
  v_shape = vec4(head, wing, mix(a_size.w, 1.0, lit), 0.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
const float CASING = 1.1;
const float CASING_OPACITY = 0.9;
/** Across from the middle, along to the tip, share of the way, half width here. */
in vec4 v_place;
flat in vec4 v_colour;
/** Length and half width of the head, fade. */
flat in vec4 v_shape;
uniform vec3 u_land;
uniform float u_ratio;
out vec4 colour;

float inside(float distance) {
  return clamp(0.5 - distance * u_ratio, 0.0, 1.0);
}
void main() {
  float across = abs(v_place.x);
  float tip = v_place.y;
  float head = v_shape.x;
  float wing = v_shape.y;
  float side = (across - wing * tip / head) * head / length(vec2(head, wing));
  float arrow = max(side, tip - head);
  float body = max(across - v_place.w, 0.8 * head - tip);
  float distance = min(arrow, body);
  // The origin's end is half as strong: that is where many begin.
  float strength = mix(0.5, 1.0, v_place.z);
  float line = inside(distance) * v_colour.a * strength * v_shape.z;
  float casing = inside(distance - CASING) * CASING_OPACITY * strength * v_shape.z;
  colour = vec4(v_colour.rgb * line + u_land * casing * (1.0 - line), line + casing * (1.0 - line));
}`;
