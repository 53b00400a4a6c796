// The way to the guides. They open beside the map, so that each step can be tried at once.
import { BASE } from "../api/client.ts";

const GUIDES: [string, string][] = [
  ["analyst", "Analyst"],
  ["planner", "Planner"],
  ["gis-officer", "GIS officer"],
];

export function Guides() {
  return (
    <p class="guides">
      <a href={`${BASE}/help/`} target="_blank" rel="noopener">
        Guides
      </a>{" "}
      in a new tab:{" "}
      {GUIDES.map(([id, title], at) => (
        <span key={id}>
          {at > 0 && " · "}
          <a href={`${BASE}/help/${id}`} target="_blank" rel="noopener">
            {title}
          </a>
        </span>
      ))}
    </p>
  );
}
