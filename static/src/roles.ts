// Whose eyes the page looks with: roles that can be played in a demo.
import type { Role, Session } from "./api/client.ts";

/** What a role must name as its own. */
export type OwnKind = "force" | "region" | "areas" | null;

export const ROLES: Record<Role, { title: string; what: string; own: OwnKind }> = {
  "national-analyst": { title: "National analyst", what: "Lines of all forces; homes as cells and counts", own: null },
  "regional-analyst": { title: "Regional analyst", what: "What concerns one region, and counts elsewhere", own: "region" },
  "force-analyst": { title: "Force analyst", what: "What concerns one force, and counts elsewhere", own: "force" },
  "btp-planner": { title: "Railway planner", what: "What travels by rail, without the names of lines", own: null },
  partner: { title: "Safeguarding partner", what: "Figures for their councils", own: "areas" },
  public: { title: "Anyone", what: "Public facts and national totals", own: null },
  admin: { title: "Administrator", what: "The server, not its data", own: null },
  auditor: { title: "Auditor", what: "What was disclosed, not the map", own: null },
};

const COOKIES = { role: "throughline-role", reason: "throughline-reason" };

/** Who somebody is, in a few words: “Force analyst, Kent”. */
export function nameOf(session: Pick<Session, "role" | "own">, names: Record<string, string> = {}): string {
  const own = session.own.map((id) => names[id] ?? titled(id)).join(", ");
  return own ? `${ROLES[session.role].title}, ${own}` : ROLES[session.role].title;
}

const titled = (id: string): string => id.replace(/(^|-)([a-z])/g, (_, gap: string, letter: string) => (gap ? " " : "") + letter.toUpperCase());

/** The cookies by which a role is played; they go when the browser is closed. */
export function cookiesOf(role: Role, own: string[], reason: string): string[] {
  const value = own.length > 0 ? `${role}:${own.join("+")}` : role;
  const cookie = (name: string, text: string): string =>
    `${name}=${encodeURIComponent(text)}; path=/; SameSite=Strict${text === "" ? "; max-age=0" : ""}`;
  return [cookie(COOKIES.role, value), cookie(COOKIES.reason, reason.trim())];
}
