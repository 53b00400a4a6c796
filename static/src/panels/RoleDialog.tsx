// The choice of a role to view the page as. The browser keeps it until it is closed; the page is loaded again with it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Role } from "../api/client.ts";
import { loadCouncils } from "../fields.ts";
import { ROLES, cookiesOf } from "../roles.ts";
import * as state from "../state.ts";
import { CloseIcon } from "./icons.tsx";

const MOST_REASON = 300;

export function RoleDialog() {
  const session = state.session.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const [role, setRole] = useState<Role>(session?.role ?? "public");
  const [own, setOwn] = useState(session?.own.join(" ") ?? "");
  const [reason, setReason] = useState("");
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const needs = ROLES[role].own;
  useEffect(() => {
    if (needs === "areas") void loadCouncils();
  }, [needs]);
  if (!session) return null;
  const councils = Object.entries(state.councils.value)
    .map(([id, name]) => ({ id, name }))
    .sort((a, b) => a.name.localeCompare(b.name, "en-GB"));
  const choices = needs === "force" ? session.forces : needs === "region" ? session.regions : councils;
  const named = own.split(" ").filter(Boolean);
  const ready = needs === null || named.length > 0;
  const play = (event: Event): void => {
    event.preventDefault();
    for (const cookie of cookiesOf(role, needs === null ? [] : named, reason)) document.cookie = cookie;
    location.reload();
  };
  return (
    <dialog
      ref={dialog}
      class="help roles"
      aria-labelledby="roles-title"
      onClose={() => {
        state.rolesOpen.value = false;
      }}
    >
      <form method="dialog">
        <h2 id="roles-title">View as another role</h2>
        <button type="submit" class="bare" aria-label="Close the choice of roles">
          <CloseIcon />
        </button>
      </form>
      <form class="choose" onSubmit={play}>
        <fieldset>
          <legend class="unseen">Role</legend>
          {session.roles.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="role"
                checked={each === role}
                onChange={() => {
                  setRole(each);
                  setOwn("");
                }}
              />
              <span>{ROLES[each].title}</span>
              <small>{ROLES[each].what}</small>
            </label>
          ))}
        </fieldset>
        {needs !== null && (
          <label class="field">
            {needs === "force" ? "Force" : needs === "region" ? "Policing region" : "Council"}
            <select value={own} required onChange={(event) => setOwn(event.currentTarget.value)}>
              <option value="">Choose</option>
              {choices.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="field">
          Reason
          <input
            value={reason}
            maxLength={MOST_REASON}
            autocomplete="off"
            placeholder="Needed for homes, and for stops and reports"
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main-button" disabled={!ready}>
          View as this role
        </button>
        <p>You can choose any role because this is a demonstration: its store holds only invented rows and public layers.</p>
      </form>
    </dialog>
  );
}
