// The page: marking, header, layers, map, table, drawer. Only where things are; each panel has its own file.
import * as state from "../state.ts";
import { Header } from "./Header.tsx";
import { LayersPanel } from "./LayersPanel.tsx";
import { HelpDialog, RoleDialog, TablePanel } from "./late.ts";
import { Stage } from "./Stage.tsx";

export function App() {
  return (
    <>
      <a class="skip" href="#map" onClick={toMap}>
        Skip to the map
      </a>
      <Marking />
      <Header />
      <main class="main">
        <LayersPanel />
        <div class="column">
          <Stage />
          {state.tableOpen.value && <TablePanel />}
        </div>
      </main>
      {state.helpOpen.value && <HelpDialog />}
      {state.rolesOpen.value && <RoleDialog />}
      <p class="unseen" role="status" aria-live="polite">
        {state.announcement}
      </p>
    </>
  );
}

function toMap(event: Event): void {
  event.preventDefault();
  state.camera.value = { do: "focus" };
}

function Marking() {
  const known = state.session.value?.marking;
  const lost = state.failures.value.some((each) => each.key === "session");
  return (
    <p class="marking" role="note" aria-label="Protective marking">
      {known ?? (lost ? "MARKING NOT KNOWN" : "\u00a0")}
    </p>
  );
}
