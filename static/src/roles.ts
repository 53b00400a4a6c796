// Roles that a user can view the page as. Only a demonstration offers them.
import type { Role, Session } from "./api/client.ts";

/** What a user of a role must choose: a force, a region, or council areas. */
export type OwnKind = "force" | "region" | "areas" | null;

export const ROLES: Record<Role, { title: string; what: string; own: OwnKind }> = {
  "national-analyst": { title: "National analyst", what: "Lines of all forces; homes only as squares and counts", own: null },
  "regional-analyst": { title: "Regional analyst", what: "Lines that concern one region; counts for the rest", own: "region" },
  "force-analyst": { title: "Force analyst", what: "Lines that concern one force; counts for the rest", own: "force" },
  "btp-planner": { title: "Railway planner", what: "Lines that use the railway, without their names", own: null },
  partner: { title: "Safeguarding partner", what: "Released figures for their own councils", own: "areas" },
  public: { title: "Anyone", what: "Public facts and national totals", own: null },
  admin: { title: "Administrator", what: "Runs the server; sees public facts only", own: null },
  auditor: { title: "Auditor", what: "Reviews disclosures; sees no map data", own: null },
};

const COOKIES = { role: "throughline-role", reason: "throughline-reason" };

/** The role of a session in a few words: “Force analyst, Kent”. */
export function nameOf(session: Pick<Session, "role" | "own">, names: Record<string, string> = {}): string {
  const own = session.own.map((id) => names[id] ?? titled(id)).join(", ");
  return own ? `${ROLES[session.role].title}, ${own}` : ROLES[session.role].title;
}

const titled = (id: string): string => id.replace(/(^|-)([a-z])/g, (_, gap: string, letter: string) => (gap ? " " : "") + letter.toUpperCase());

/** The cookies that set the role of this browser; they end when the browser is closed. */
export function cookiesOf(role: Role, own: string[], reason: string): string[] {
  const value = own.length > 0 ? `${role}:${own.join("+")}` : role;
  const cookie = (name: string, text: string): string =>
    `${name}=${encodeURIComponent(text)}; path=/; SameSite=Strict${text === "" ? "; max-age=0" : ""}`;
  return [cookie(COOKIES.role, value), cookie(COOKIES.reason, reason.trim())];
}
