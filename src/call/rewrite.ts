/**
 * Applies `cap` and `route to` to a request body: one value changes, the prompt keeps its exact bytes.
 */
import type { Operation } from "./call.ts";
import { fields, parse, positive } from "./json.ts";
import { editJson } from "./json-edit.ts";
import type { Edit, Provider } from "./provider.ts";
import { isEncoded } from "./read.ts";

/** The request is left as it is; `why` is for people. */
export interface Impossible {
  readonly kind: "impossible";
  readonly why: string;
}

export type Capped =
  /** `tokens`: the limit per answer that was written. */
  | { readonly kind: "capped"; readonly body: Buffer; readonly tokens: number }
  /** The request asks for no more already. */
  | { readonly kind: "unchanged" }
  | Impossible;

export type Routed =
  /** `path`: the new address, null where it stays. */
  { readonly kind: "routed"; readonly body: Buffer; readonly path: string | null } | Impossible;

/** Limits the output of a request to `tokens`, shared by all answers that it asks for. */
export function capOutput(provider: Provider, operation: Operation, body: Buffer, tokens: number): Capped {
  const json = parse(body.toString("utf8"));
  const asked = fields(json);
  if (asked === null) return UNREADABLE;
  const choices = Math.max(positive(asked.n) ?? 1, positive(asked.best_of) ?? 1);
  const each = Math.max(1, Math.floor(tokens / choices));
  const plan = provider.cap(operation, json, each);
  if (plan.kind !== "edits") return plan;
  const edited = applied(body, plan.edits);
  return edited === null ? UNCHANGEABLE : { kind: "capped", body: edited, tokens: each };
}

/** Asks another model the same; `path` is that of the request. */
export function routeModel(
  provider: Provider,
  operation: Operation,
  path: string,
  body: Buffer,
  model: string,
): Routed {
  const json = parse(body.toString("utf8"));
  if (fields(json) === null) return UNREADABLE;
  const plan = provider.route(operation, path, json, model);
  if (plan.kind !== "edits") return plan;
  const edited = applied(body, plan.edits);
  return edited === null ? UNCHANGEABLE : { kind: "routed", body: edited, path: plan.path ?? null };
}

const UNREADABLE: Impossible = Object.freeze({ kind: "impossible", why: "the body cannot be read" });
const UNCHANGEABLE: Impossible = Object.freeze({ kind: "impossible", why: "the body cannot be changed" });

function applied(body: Buffer, edits: readonly Edit[]): Buffer | null {
  let edited: Buffer | null = body;
  for (const { path, value, insert } of edits) {
    edited = editJson(edited, path, value, insert);
    if (edited === null) return null;
  }
  return edited;
}

/** Headers that vouch for the bytes of the body (RFC 9530, RFC 3230, RFC 1864). */
const DIGESTS = ["content-digest", "digest", "content-md5", "repr-digest"] as const;

/** Why nothing in a request may be changed before it leaves, as the end of a sentence; null where it may. */
export function whyFixed(headers: Readonly<Record<string, string>>, path: string, body: Buffer | null): string | null {
  // AWS signs a hash of the body, in the header or in the query (docs.aws.amazon.com, Signature Version 4).
  if (/^AWS4-/i.test(headers.authorization ?? "") || /[?&]x-amz-signature=/i.test(path)) return "the request is signed";
  if (headers["x-amz-content-sha256"] !== undefined) return "the request is signed";
  // RFC 9421; what is signed is a list in the header, and the body's length is often in it.
  if (headers["signature-input"] !== undefined) return "the request is signed";
  const digest = DIGESTS.find((name) => headers[name] !== undefined);
  if (digest !== undefined) return `the request carries a ${digest}`;
  if (isEncoded(headers)) return "the body is compressed";
  if (/^multipart\//i.test(headers["content-type"] ?? "")) return "the body has several parts";
  return body === null ? "the body is too large, or does not end" : null;
}
