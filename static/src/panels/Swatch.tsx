// A small picture of how a layer is drawn: the same colours and forms as on the map.
import type { Collection } from "../api/client.ts";
import { looks } from "../map/looks.ts";
import { DESTINATION, EXPORTER, palette } from "../map/palette.ts";
import * as state from "../state.ts";

const DASHES = [undefined, "5 2", "2 2"];

export function Swatch({ collection }: { collection: Collection }) {
  return (
    <svg class="swatch" viewBox="0 0 20 16" width="20" height="16" aria-hidden="true">
      {picture(collection)}
    </svg>
  );
}

function picture(collection: Collection) {
  const p = palette(state.dark.value);
  const look = looks(state.collections.value ?? []).get(collection.id);
  if (!look) return <rect x="3" y="4" width="14" height="8" rx="1" fill="none" stroke={p.text3} stroke-dasharray="2 2" />;
  if (look.kind === "places") {
    return (
      <text x="10" y="12.5" text-anchor="middle" font-size="13" font-weight="600" fill={p.text}>
        Aa
      </text>
    );
  }
  if (look.kind === "stations") {
    return <circle cx="10" cy="8" r="3.6" fill={p.halo} stroke={p.rail} stroke-width="1.8" />;
  }
  if (look.kind === "boundary") {
    return (
      <path d="M2 11L7 5l5 4 6-5" fill="none" stroke={p.boundary} stroke-width={look.weight + 0.4} stroke-dasharray="6 2 1.5 2" />
    );
  }
  if (look.kind === "flows") {
    const [from, to] = [p.tones[EXPORTER], p.tones[DESTINATION]];
    return (
      <>
        <path d="M4 12C5 6 10 4 15 4" fill="none" stroke={from} stroke-width="1.6" />
        <circle cx="4" cy="12" r="2.4" fill={p.halo} stroke={from} stroke-width="1.8" />
        <circle cx="16" cy="4" r="2.6" fill={to} />
      </>
    );
  }
  const tone = p.tones[look.tone];
  if (look.kind === "released") {
    return <path d="M2 2h16v12H2zM2 8l6-6M3 14L15 2M9 14l9-9M15 14l3-3" fill="none" stroke={tone} stroke-width="1.1" />;
  }
  const kind = collection.geometryKind;
  const area = kind === "polygon" || kind === "any";
  const line = kind === "line" || kind === "any";
  const point = kind === "point" || kind === "any";
  const dash = DASHES[look.form];
  return (
    <>
      {area && (
        <rect x="1.5" y="2" width="17" height="12" rx="1.5" fill={tone} fill-opacity="0.14" stroke={tone} stroke-dasharray={dash} />
      )}
      {line && <path d="M3 12L8 6l4 3 5-5" fill="none" stroke={tone} stroke-width="2" stroke-dasharray={dash} />}
      {point && <PointForm form={look.form} tone={tone ?? p.text2} halo={p.halo} />}
    </>
  );
}

function PointForm({ form, tone, halo }: { form: number; tone: string; halo: string }) {
  if (form === 0) return <circle cx="10" cy="8" r="4.2" fill={tone} />;
  if (form === 1) return <circle cx="10" cy="8" r="3.6" fill={halo} stroke={tone} stroke-width="2" />;
  if (form === 3) return <path d="M10 1l7 7-7 7-7-7zM6 5l7 7M8 3l7 7" fill={halo} stroke={tone} stroke-width="1.4" />;
  return (
    <>
      <circle cx="10" cy="8" r="6" fill={tone} fill-opacity="0.3" />
      <circle cx="10" cy="8" r="3" fill={tone} />
    </>
  );
}
