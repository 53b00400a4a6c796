// Whose eyes to look with. The choice is kept by the browser until it is closed, and the page is loaded anew with it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Role } from "../api/client.ts";
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
  if (!session) return null;
  const needs = ROLES[role].own;
  const choices = needs === "force" ? session.forces : needs === "region" ? session.regions : undefined;
  const named = own.split(/[\s,]+/).filter(Boolean);
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
        <h2 id="roles-title">Look with whose eyes?</h2>
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
            {needs === "force" ? "Their force" : needs === "region" ? "Their policing region" : "Their areas, by code"}
            {choices && choices.length > 0 ? (
              <select value={own} required onChange={(event) => setOwn(event.currentTarget.value)}>
                <option value="">Choose</option>
                {choices.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            ) : (
              <input value={own} required autocomplete="off" placeholder="E06000044 is Portsmouth" onInput={(event) => setOwn(event.currentTarget.value)} />
            )}
          </label>
        )}
        <label class="field">
          Reason, where one is asked for
          <input
            value={reason}
            maxLength={MOST_REASON}
            autocomplete="off"
            placeholder="Homes are shown for a reason only"
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main-button" disabled={!ready}>
          Show what they see
        </button>
        <p>Roles can be played because this is a demo: it holds nothing but what anyone may see.</p>
      </form>
    </dialog>
  );
}
