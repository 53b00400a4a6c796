// What the lines between places mean: widths, rings, dots, the day, and in words what is not drawn.
import { useEffect, useState } from "preact/hooks";
import type { Flows } from "../api/flows.ts";
import { chosen, flows, keepFlows, own, today } from "../flows.ts";
import { count } from "../format.ts";
import { NARROW } from "../map/bridge.ts";
import { headPx, widthAt } from "../map/flows/geometry.ts";
import { picture } from "../map/flows/picture.ts";
import { colour, hex, opacity, radiusPx, samples, widthPx } from "../map/flows/scale.ts";
import { dayInWords, shownInWords } from "../map/flows/words.ts";
import { DESTINATION, EXPORTER, palette } from "../map/palette.ts";
import * as state from "../state.ts";

export function FlowKey() {
  useEffect(keepFlows, []);
  const [open, setOpen] = useState(!matchMedia(NARROW).matches);
  const answer = flows.value;
  if (!answer) return null;
  const { strongest, capped, largest, flows: drawn } = picture(answer, [], null);
  const more = picture(answer, own.value, chosen.value).flows.length - drawn.length;
  return (
    <details class="card flow-key" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Lines between places <span class="day">Active on {dayInWords(answer.reference_date ?? today())}</span>
      </summary>
      {answer.flows.length > 0 && (
        <>
          <ol class="widths" aria-label="Width: number of lines">
            {samples(strongest).map((lines) => (
              <li key={lines}>
                <Sample share={lines / strongest} />
                <span>
                  {count(lines)}
                  {capped && lines === strongest && "+"}
                </span>
              </li>
            ))}
            <li class="unit">lines</li>
          </ol>
          <Ends answer={answer} largest={largest} />
        </>
      )}
      <p class="rest">
        {shownInWords(answer, "drawn")}
        {more > 0 && `. For the selected place, ${more === 1 ? "1 more is" : `${count(more)} more are`} drawn`}
      </p>
    </details>
  );
}

const SAMPLE = { width: 34, height: 18 };

/** A line as the map draws one, but straight. */
function Sample({ share }: { share: number }) {
  const [width, middle, end] = [widthPx(share), SAMPLE.height / 2, SAMPLE.width];
  const head = headPx(width, end);
  const neck = end - head;
  const [from, to] = [widthAt(width, 0) / 2, widthAt(width, neck / end) / 2];
  const wing = width / 2 + Math.min(0.26 * head, 3);
  const side = (sign: 1 | -1): string[] => [`0 ${middle + sign * from}`, `${neck} ${middle + sign * to}`, `${neck} ${middle + sign * wing}`];
  const path = `M${[...side(-1), `${end} ${middle}`, ...side(1).reverse()].join("L")}Z`;
  return (
    <svg width={SAMPLE.width} height={SAMPLE.height} aria-hidden="true">
      <path d={path} fill={hex(colour(share, state.dark.value))} fill-opacity={opacity(share)} />
    </svg>
  );
}

function Ends({ answer, largest }: { answer: Flows; largest: number }) {
  const p = palette(state.dark.value);
  const [ring, dot] = [radiusPx(largest, largest, "ring") * 0.62, radiusPx(largest / 12, largest, "dot")];
  const who = answer.levels.origin === "area" ? "Exporting area" : "Exporting hub";
  return (
    <ul class="ends">
      <li>
        <svg width="20" height="20" aria-hidden="true">
          <circle cx="10" cy="10" r={ring * 0.71} fill={p.halo} stroke={p.tones[EXPORTER]} stroke-width={ring * 0.58} />
        </svg>
        {who}
      </li>
      <li>
        <svg width="14" height="20" aria-hidden="true">
          <circle cx="7" cy="10" r={dot} fill={p.tones[DESTINATION]} />
        </svg>
        Destination
      </li>
      <li class="size">Size: lines drawn</li>
    </ul>
  );
}
