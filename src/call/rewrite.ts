/**
 * Applies `cap` to a request body: the output limit changes, the prompt keeps its exact bytes.
 */
import type { Operation } from "./call.ts";
import { fields, parse, positive } from "./json.ts";
import { editNumber } from "./json-edit.ts";
import type { Provider } from "./provider.ts";

export type Capped =
  /** `tokens`: the limit per answer that was written. */
  | { readonly kind: "capped"; readonly body: Buffer; readonly tokens: number }
  /** The request asks for no more already. */
  | { readonly kind: "unchanged" }
  /** Left as it is; `why` is for people. */
  | { readonly kind: "impossible"; readonly why: string };

/** Limits the output of a request to `tokens`, shared by all answers that it asks for. */
export function capOutput(provider: Provider, operation: Operation, body: Buffer, tokens: number): Capped {
  const json = parse(body.toString("utf8"));
  const asked = fields(json);
  if (asked === null) return { kind: "impossible", why: "the body cannot be read" };
  const choices = Math.max(positive(asked.n) ?? 1, positive(asked.best_of) ?? 1);
  const each = Math.max(1, Math.floor(tokens / choices));
  const plan = provider.cap(operation, json, each);
  if (plan.kind !== "edits") return plan;
  let edited = body;
  for (const { path, value, insert } of plan.edits) {
    const next = editNumber(edited, path, value, insert);
    if (next === null) return { kind: "impossible", why: "the body cannot be changed" };
    edited = next;
  }
  return { kind: "capped", body: edited, tokens: each };
}
