// Header: name, search, and what acts on the whole page.
import { useState } from "preact/hooks";
import { say } from "../actions.ts";
import * as state from "../state.ts";
import { nameOf } from "../roles.ts";
import { HelpIcon, LayersIcon, LinkIcon, PersonIcon, TableIcon, ThemeIcon } from "./icons.tsx";
import { Search } from "./Search.tsx";

export function Header() {
  return (
    <header class="header">
      <h1 class="name">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <path d="M8 23C9 12 15 9 23 9" />
          <circle cx="8" cy="23" r="4.4" />
          <circle class="end" cx="23.5" cy="9" r="3.6" />
        </svg>
        <span>Throughline</span>
      </h1>
      <Search />
      <div class="tools">
        <button
          type="button"
          class="tool only-narrow"
          aria-expanded={state.panelOpen.value}
          aria-controls="layers"
          onClick={() => {
            state.panelOpen.value = !state.panelOpen.value;
          }}
        >
          <LayersIcon />
          <span>Layers</span>
        </button>
        <button
          type="button"
          class="tool"
          aria-pressed={state.tableOpen.value}
          onClick={() => {
            state.tableOpen.value = !state.tableOpen.value;
          }}
        >
          <TableIcon />
          <span>Table</span>
        </button>
        <span class="gap" />
        <RoleChoice />
        <CopyLink />
        <AppearanceChoice />
        <button
          type="button"
          class="tool not-narrow"
          aria-haspopup="dialog"
          onClick={() => {
            state.helpOpen.value = true;
          }}
        >
          <HelpIcon />
          <span class="wide-only">Help</span>
        </button>
      </div>
    </header>
  );
}

/** The role that the page is viewed as, where the user can choose another. */
function RoleChoice() {
  const session = state.session.value;
  if (!session?.roles?.length) return null;
  const names = Object.fromEntries([...session.forces, ...session.regions, ...session.areas].map(({ id, name }) => [id, name]));
  return (
    <button
      type="button"
      class="tool"
      aria-haspopup="dialog"
      onClick={() => {
        state.rolesOpen.value = true;
      }}
    >
      <PersonIcon />
      <span class="who">
        <span class="unseen">Viewing as: </span>
        {nameOf(session, names)}
      </span>
    </button>
  );
}

const COPIED_FOR_MS = 2500;

function CopyLink() {
  const [done, setDone] = useState<"copied" | "failed" | null>(null);
  const copy = async (): Promise<void> => {
    // Without a secure connection there is no clipboard; the address bar has the same link.
    const result = await navigator.clipboard?.writeText(location.href).then(
      () => "copied" as const,
      () => "failed" as const,
    );
    setDone(result ?? "failed");
    say(result === "copied" ? "Link to this view copied" : "The link is in the address bar");
    setTimeout(() => setDone(null), COPIED_FOR_MS);
  };
  const words = done === "copied" ? "Copied" : done === "failed" ? "See address bar" : "Copy link";
  return (
    <button type="button" class="tool not-narrow" onClick={copy}>
      <LinkIcon />
      <span class="wide-only">{words}</span>
    </button>
  );
}

function AppearanceChoice() {
  return (
    <label class="tool choice">
      <ThemeIcon />
      <span class="unseen">Appearance</span>
      <select
        value={state.appearance.value}
        onChange={(event) => {
          state.appearance.value = event.currentTarget.value as state.Appearance;
        }}
      >
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
