/**
 * A recorded call as `explain` takes it: a line of the audit log, or a span as OTLP JSON.
 * In: text. Out: the facts of its last call and what it recorded of the meter that decided; null where it is no record.
 * @module
 */
import { spanFacts } from "../backtest/facts.ts";
import { callOfLine } from "../backtest/from-audit.ts";
import { callOfSpan } from "../backtest/from-span.ts";
import type { Recorded, Understood } from "../backtest/recorded.ts";
import { type Piece, Scanner } from "../backtest/scan.ts";
import { type Fields, fields, parse } from "../call/json.ts";
import type { Prices } from "../call/price.ts";
import { DOLLAR } from "../policy/number.ts";
import type { Plan } from "../policy/plan.ts";
import type { CallFacts } from "../policy/simulate-call.ts";
import { guard } from "../telemetry/attributes.ts";
import { readAuditLine } from "../telemetry/audit-line.ts";

export interface RecordedCall {
  readonly facts: CallFacts;
  /** When it was made, ms since 1970. */
  readonly at: number;
  /** What was spent and held on the meter that decided, by its index in the plan, where this plan has it. */
  readonly meters: ReadonlyMap<number, number>;
  /** What came of it then, and what else there was, for people. */
  readonly notes: readonly string[];
}

/** Reads the last call that the text records; a string says why there is none in what should be a record. */
export function recordedCall(text: string, plan: Plan, prices: Prices): RecordedCall | string | null {
  const scanner = new Scanner();
  const pieces = [...scanner.push(Buffer.from(text)), ...scanner.end()];
  const found = pieces.map((piece) => understand(piece, prices));
  const calls = found.flatMap((one) => (one?.kind === "call" ? one : []));
  const last = calls.at(-1);
  if (last === undefined) {
    const why = found.flatMap((one) => (one?.kind === "unusable" ? one.why : []));
    const none = found.some((one) => one?.kind === "other") ? "it records no call to a model" : null;
    return why[0] ?? none;
  }
  const { recorded, told, stood } = last;
  const more = calls.length === 1 ? [] : [`It holds ${calls.length} calls; the last one is explained.`];
  return {
    facts: factsOf(recorded),
    at: recorded.at,
    meters: stoodOn(stood, plan),
    notes: [...more, `Recorded at ${new Date(recorded.at).toISOString()}: ${told}.`],
  };
}

type Found =
  | { readonly kind: "call"; readonly recorded: Recorded; readonly told: string; readonly stood: Stood | null }
  | Exclude<Understood, { readonly kind: "call" }>;

/** What a record says of the meter that decided, in dollars or counts. */
interface Stood {
  readonly meter: string;
  readonly amount: number;
}

/** Null for values that are no record at all: facts, which someone else reads. */
function understand(piece: Piece, prices: Prices): Found | null {
  if (piece.kind === "broken") return null;
  const value = fields(parse(piece.text));
  if (value === null) return null;
  if (piece.kind === "span" || "spanId" in value) {
    const resource = piece.kind === "span" && piece.resource !== null ? fields(parse(piece.resource)) : null;
    return ofSpan(value, resource, prices);
  }
  if (!("v" in value)) return null;
  const read = readAuditLine(piece.text);
  if (read.kind === "settlement") return { kind: "other" };
  if (read.kind === "other") return { kind: "unusable", why: read.why };
  const { line } = read;
  if (line.spending === "free") return { kind: "other" };
  const by = line.rule === null ? "" : ` by \`${line.rule.id}\``;
  const { figures } = line;
  return {
    kind: "call",
    recorded: callOfLine(line, prices),
    told: `${line.verdict}${by}${line.mode === "shadow" ? " (in shadow mode)" : ""}`,
    stood: figures === null ? null : { meter: figures.meter, amount: figures.spent + figures.held },
  };
}

function ofSpan(value: Fields, resource: Fields | null, prices: Prices): Found {
  const facts = spanFacts(value, resource);
  if (facts === null) return { kind: "unusable", why: "it is a span without identity or time" };
  const found = callOfSpan(facts, prices);
  if (found.kind !== "call") return found;
  const { attributes } = facts;
  const text = (name: string): string | null => (typeof attributes[name] === "string" ? attributes[name] : null);
  const meter = text(guard.budgetMeter);
  const [used, held] = [attributes[guard.budgetUsed], attributes[guard.budgetHeld]];
  const by = text(guard.ruleId);
  return {
    kind: "call",
    recorded: found.recorded,
    told: `${text(guard.verdict) ?? "the guard did not see it"}${by === null ? "" : ` by \`${by}\``}`,
    stood:
      meter === null || typeof used !== "number"
        ? null
        : { meter, amount: used + (typeof held === "number" ? held : 0) },
  };
}

function factsOf({ asked, attemptNumber, repeat }: Recorded): CallFacts {
  const { model: _model, provider: _provider, ...subject } = asked.subject;
  return {
    subject,
    provider: asked.provider,
    model: asked.modelAsSent,
    cost: asked.cost.total,
    inputTokens: asked.inputTokens,
    outputTokens: asked.outputTokens,
    maxTokens: asked.maxTokens,
    retries: attemptNumber,
    repeat,
    newRun: false,
    unpriced: asked.unpriced,
    unmetered: asked.spending === "unmetered",
  };
}

function stoodOn(stood: Stood | null, plan: Plan): ReadonlyMap<number, number> {
  const index = stood === null ? -1 : plan.meters.findIndex(({ id }) => id === stood.meter);
  if (stood === null || index === -1) return new Map();
  const size = plan.meters[index]?.metric === "cost" ? DOLLAR : 1;
  return new Map([[index, Math.round(stood.amount * size)]]);
}
