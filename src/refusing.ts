/**
 * A refusal in the form that the deployment asked for.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Provider } from "./call/provider.ts";
import type { Recogniser } from "./call/recognise.ts";
import type { Config } from "./config.ts";
import type { RefusalDetail } from "./errors.ts";
import type { Departure, Passage } from "./hook/exchange.ts";
import { type Dialect, refusalAnswer, refusalError } from "./hook/refusal.ts";

/** An HTTP answer that the clients of this dialect read, or an error that is thrown. */
export function refusal(
  form: Config["refusal"],
  message: string,
  detail: RefusalDetail,
  dialect: Dialect = "openai",
): Passage {
  return form === "throw"
    ? { kind: "throw", error: refusalError(message, detail) }
    : { kind: "refuse", answer: refusalAnswer(message, detail, dialect) };
}

/** Whose dialect a call is in: Google's and Ollama's servers answer OpenAI's and Anthropic's clients too. */
export function dialectOf(provider: Provider, { operation, path }: Pick<Call, "operation" | "path">): Dialect {
  const { dialect } = provider;
  if (dialect === "google") return operation === "chat" || /\/openai\//.test(path) ? "openai" : dialect;
  // Behind a prefix too, where a proxy stands before it.
  if (dialect === "ollama") return /\/api\/[a-z-]+(\?|$)/.test(path) ? dialect : "openai";
  return dialect;
}

/** The refusal of a call that could not be judged, where the deployment lets no such call go; in its client's dialect. */
export function refusalUnjudged(form: Config["refusal"], why: string, dialect: Dialect): Passage {
  const { message, detail } = strictRefusal(`the guard itself failed (${why})`);
  return refusal(form, message, detail, dialect);
}

/** The dialect of a request that is known by its address alone. Never throws: it is asked when all else has failed. */
export function dialectAt(
  recognise: Recogniser,
  { hostname, port, method, path }: Pick<Departure, "hostname" | "port" | "method" | "path">,
): Dialect {
  try {
    const found = recognise(hostname, port, method, path);
    return found === null ? "openai" : dialectOf(found.provider, { operation: found.operation, path });
  } catch {
    return "openai";
  }
}

/** What is said where the deployment, not the policy, refuses a call that nobody judged. */
export function strictRefusal(why: string): { readonly message: string; readonly detail: RefusalDetail } {
  const message = `${why}, and "store": {"strict": true} lets no call go unjudged.`;
  const none = { spent: null, held: null, estimate: null, limit: null, resets_at: null };
  return { message, detail: { rule: "store.strict", scope: {}, metric: "cost", unit: "USD", ...none } };
}
