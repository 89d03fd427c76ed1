import { inDialectOf } from "./dialect.ts";
import type { Departure, Gatekeeper, Passage, Tap } from "./exchange.ts";
import { OnceTap } from "./once.ts";

const NO_TAP: Tap = { head() {}, chunk() {}, end() {}, fail() {} };

/** What a gatekeeper that breaks its promise and fails amounts to: the request goes as it came. */
const UNJUDGED: Passage = {
  kind: "go",
  body: null,
  removeHeaders: [],
  tap: NO_TAP,
  run: (fn) => fn(),
};

/** Asks the gatekeeper. Synchronous up to its answer, so that it sees the caller's own async context. */
export async function ask(gatekeeper: Gatekeeper, departure: Departure, signal: AbortSignal): Promise<Passage> {
  try {
    const passage = await gatekeeper.decide(departure, signal);
    if (passage.kind !== "refuse") return passage;
    return { ...passage, answer: inDialectOf(departure, passage.answer) };
  } catch {
    return UNJUDGED;
  }
}

/** Lets a passage go that nobody waits for any more. */
export function discard(passage: Passage): void {
  if (passage.kind === "go") new OnceTap(passage.tap).fail({ kind: "abort", code: "ABORT_ERR" });
}
