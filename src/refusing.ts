/**
 * A refusal in the form that the deployment asked for.
 * @module
 */
import type { Config } from "./config.ts";
import type { RefusalDetail } from "./errors.ts";
import type { Passage } from "./hook/exchange.ts";
import { refusalAnswer, refusalError } from "./hook/refusal.ts";

/** An HTTP answer, or an error that is thrown. */
export function refusal(form: Config["refusal"], message: string, detail: RefusalDetail): Passage {
  return form === "throw"
    ? { kind: "throw", error: refusalError(message, detail) }
    : { kind: "refuse", answer: refusalAnswer(message, detail) };
}

/** The refusal of a call that could not be judged, where the deployment lets no such call go. */
export function refusalUnjudged(form: Config["refusal"], why: string): Passage {
  const message = `the guard itself failed (${why}), and "store": {"strict": true} lets no call go unjudged.`;
  const none = { spent: null, held: null, estimate: null, limit: null, resets_at: null };
  return refusal(form, message, { rule: "store.strict", scope: {}, metric: "cost", unit: "USD", ...none });
}
