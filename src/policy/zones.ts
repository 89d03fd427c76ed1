/**
 * The time zone of a file's calendar windows.
 * @module
 */
import type { StatementNode } from "./ast.ts";
import { declarations } from "./declaration-messages.ts";
import type { Finding } from "./finding.ts";
import { closest } from "./suggest.ts";

export const UTC = "UTC";

/** The file's zone; UTC where it names none, and where the one that it names is reported. */
export function zoneOf(statements: readonly StatementNode[], report: (finding: Finding) => void): string {
  let found: string | null = null;
  for (const node of statements) {
    if (node.kind !== "Timezone") continue;
    if (found !== null) report(declarations.twoZones(node.span));
    const { value, span } = node.zone;
    const problem = zoneProblem(value);
    if (problem !== null) report(declarations.timezone(span, value, problem.meant));
    else found ??= value === "Etc/UTC" ? UTC : value;
    found ??= UTC;
  }
  return found ?? UTC;
}

let known: ReadonlySet<string> | null = null;

/** Null for a name of the tz database, written as there: the name is part of the ledger's keys. */
function zoneProblem(zone: string): { readonly meant: string | null } | null {
  known ??= new Set([UTC, "Etc/UTC", ...Intl.supportedValuesOf("timeZone")]);
  if (known.has(zone)) return null;
  const meant = closest(zone.trim().replaceAll(" ", "_"), known);
  // Aliases such as US/Eastern are zones too, though `supportedValuesOf` leaves them out; offsets are not: they know no DST.
  const alias =
    /^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(zone) && meant?.toLowerCase() !== zone.toLowerCase();
  return alias && isZone(zone) ? null : { meant };
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
