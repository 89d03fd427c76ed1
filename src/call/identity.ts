/**
 * Who a call is for. Per scope the first source that names a value wins; what nobody names is `(none)`.
 */
import { createHash } from "node:crypto";
import { NONE, type RunSource } from "./call.ts";
import { keyName } from "./key-name.ts";

/** The scopes that every call has, beside its model and provider. */
export const IDENTITY_SCOPES = Object.freeze(["tenant", "feature", "agent", "user", "run"] as const);

type Values = Readonly<Record<string, string | undefined>>;

export interface IdentitySources {
  /** From `withBudget`. */
  readonly context: Values;
  /** Of the request that leaves, lower-case names; `x-budget-tenant` and the like are read. */
  readonly headers: Values;
  /** Values read from the incoming request being served; null where there is none or it is not configured. */
  readonly incoming: Values | null;
  /** Allow-listed baggage entries by scope name; null where it is off. */
  readonly baggage: Values | null;
  /** `BUDGET_GUARD_TENANT` and the like, by scope name. */
  readonly environment: Values;
  /** Declared dimensions beside the scopes. */
  readonly dimensions: readonly string[];
  /** Whether the API key's name is wanted too; absent: it is not. A text: it is, and this is the address it may stand in. */
  readonly wantsKey?: boolean | string;
  /** Fallbacks of the run. */
  readonly traceId: string | null;
  readonly requestId: string | null;
  readonly processId: string;
}

export interface Identity {
  /** A value for every scope of `IDENTITY_SCOPES` and every declared dimension, and `key` where it is wanted. */
  readonly values: Readonly<Record<string, string>>;
  readonly runSource: RunSource;
  /** Names of headers that must not leave, lower case. */
  readonly removeHeaders: readonly string[];
}

const PREFIX = "x-budget-";

/** Decides the identity of one call. */
export function identify(sources: IdentitySources): Identity {
  const removeHeaders = Object.keys(sources.headers).filter((header) => header.startsWith(PREFIX));
  // Most requests carry none of our headers: no names need be made to look for them.
  const told = removeHeaders.length > 0 ? sources : { ...sources, headers: null };
  const values: Record<string, string> = {};
  for (const name of IDENTITY_SCOPES) if (name !== "run") values[name] = named(name, told) ?? NONE;
  for (const name of sources.dimensions) if (name !== "run") values[name] = named(name, told) ?? NONE;
  const run = runOf(told);
  values.run = run.value;
  // No one may say it for the key: it is what the provider will bill.
  const { wantsKey = false } = sources;
  if (wantsKey !== false) values.key = keyName(sources.headers, wantsKey === true ? "" : wantsKey);
  return Object.freeze({ values: Object.freeze(values), runSource: run.source, removeHeaders });
}

type Told = Omit<IdentitySources, "headers"> & { readonly headers: Values | null };

function named(name: string, sources: Told): string | null {
  return (
    clean(sources.context[name]) ??
    inHeaders(name, sources.headers) ??
    clean(sources.incoming?.[name]) ??
    clean(sources.baggage?.[name]) ??
    clean(sources.environment[name])
  );
}

function inHeaders(name: string, headers: Values | null): string | null {
  if (headers === null) return null;
  return clean(headers[PREFIX + name] ?? headers[PREFIX + name.replaceAll("_", "-")]);
}

function runOf(sources: Told): { readonly value: string; readonly source: RunSource } {
  const explicit = named("run", sources);
  if (explicit !== null) return { value: explicit, source: "explicit" };
  const trace = clean(sources.traceId);
  if (trace !== null) return { value: trace, source: "trace" };
  const request = clean(sources.requestId);
  if (request !== null) return { value: request, source: "request" };
  return { value: clean(sources.processId) ?? NONE, source: "process" };
}

/** The greatest length of a value: it is part of a key in the store and of every span. */
export const LONGEST_VALUE = 128;

/** Printable ASCII without spaces. */
const PLAIN = /^[!-~]+$/;

/** The value as it is counted: no control characters, trimmed, bounded; null where nothing is left. */
export function clean(value: unknown): string | null {
  if (typeof value !== "string") return null;
  // Nearly every value is a plain word, and this is asked a dozen times a call.
  if (value.length <= LONGEST_VALUE && PLAIN.test(value)) return value;
  // \p{Cc} are the control characters, \p{Cs} halves of broken pairs, \p{Zl} and \p{Zp} breaks that logs obey.
  const plain = value.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "").trim();
  if (plain === "") return null;
  if (plain.length <= LONGEST_VALUE) return plain;
  // Two long values that differ only at the end must not share a budget.
  const mark = createHash("sha256").update(plain).digest("hex").slice(0, 16);
  return `${plain.slice(0, LONGEST_VALUE - mark.length - 1).replace(/\p{Cs}/gu, "")}~${mark}`;
}
