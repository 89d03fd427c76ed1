/**
 * What the doctor looked at and found: one line each, for people and for programs alike.
 * @module
 */

/** `fail`: calls can escape, or cannot be judged; `warn`: it works, and something should be known. */
export type State = "ok" | "warn" | "fail";

export interface Check {
  /** The heading that it stands under. */
  readonly area: "process" | "settings" | "store" | "telemetry" | "copies" | "clients" | "program";
  readonly name: string;
  readonly state: State;
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** A check with its state first, as they are written down. */
export function check(area: Check["area"], state: State, name: string, detail: string, advice?: string): Check {
  return Object.freeze({ area, name, state, detail, ...(advice !== undefined && { advice }) });
}

/** What went wrong, in one line. */
export const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
