// Layers made from a seed: points, lines and areas around the Solent, each with a name and a few properties, and points so
// dense that the server clusters them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function random(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const round = (degrees) => Number(degrees.toFixed(6));

function make(count, seed, geometry) {
  const next = random(seed);
  return Array.from({ length: count }, (_, at) => {
    const lon = -1.6 + next() * 1.1;
    const lat = 50.7 + next() * 0.5;
    return {
      type: "Feature",
      geometry: geometry(round(lon), round(lat), next),
      properties: { name: `Item ${at + 1}`, reports: Math.floor(next() * 90), seen_on: `2024-0${1 + (at % 9)}-15` },
    };
  });
}

const around = (lon, lat, size) =>
  [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]].map(([x, y]) => [round(lon + x * size), round(lat + y * size * 0.6)]);

const TITLES = { "seen-points": "Seen points", "walked-lines": "Walked lines", "watched-areas": "Watched areas", "heard-points": "Heard points" };

const LAYERS = {
  "seen-points": make(260, 1, (lon, lat) => ({ type: "Point", coordinates: [lon, lat] })),
  "walked-lines": make(140, 2, (lon, lat, next) => ({
    type: "LineString",
    coordinates: [[lon, lat], [round(lon + next() * 0.02), round(lat + 0.004)], [round(lon + 0.02), round(lat + next() * 0.01)]],
  })),
  "watched-areas": make(110, 3, (lon, lat, next) => ({
    type: "Polygon",
    coordinates: [around(lon, lat, 0.004 + next() * 0.01)],
  })),
  "heard-points": make(12_000, 4, (lon, lat) => ({ type: "Point", coordinates: [lon, lat] })),
};

/** Writes the layers into a folder. */
export async function writeLayers(folder) {
  return Promise.all(
    Object.entries(LAYERS).map(async ([id, features]) => {
      const path = join(folder, `${id}.geojson`);
      await writeFile(path, JSON.stringify({ type: "FeatureCollection", features }));
      return { id, title: TITLES[id], path };
    }),
  );
}
