/**
 * `route to` and `cap` before the judgement: the request is changed, read anew, and judged as what it has become.
 * Where it cannot be changed it goes on as it is, and the span says why.
 * @module
 */
import type { Learned } from "./call/estimate.ts";
import { canonicalModel, providerPrefix } from "./call/model.ts";
import type { Prices } from "./call/price.ts";
import { type ReadCall, type Request, readCall } from "./call/read.ts";
import type { Recognised } from "./call/recognise.ts";
import { capOutput, routeModel, whyFixed } from "./call/rewrite.ts";
import { type ForesightOptions, foresee } from "./foresight.ts";
import type { Departure, Passage } from "./hook/exchange.ts";
import type { Teacher } from "./learned.ts";
import type { RuleIndex } from "./policy/match.ts";
import type { Rule } from "./policy/plan.ts";
import { type Route, type Shape, shape, shapes } from "./policy/shape.ts";
import type { Log } from "./telemetry/log.ts";
import type { Decided } from "./telemetry/telemetry.ts";

export interface Shaped extends Pick<Decided, "cap" | "route" | "unshaped"> {
  /** The call as it will leave. */
  readonly read: ReadCall;
  /** The rules whose filter holds for it: another model may have other rules. */
  readonly rules: readonly Rule[];
  /** The new body, null where the bytes stay as they came. */
  readonly body: Buffer | null;
  /** The new address, null where it stays. */
  readonly path: string | null;
}

/** What of the request is other than it came. */
export const rewritten = ({ body, path }: Shaped): Pick<Reshaped, "body" | "path"> =>
  path === null ? { body } : { body, path };

type Reshaped = Extract<Passage, { kind: "go" }>;

export interface ShapingOptions extends ForesightOptions {
  readonly rulesFor: RuleIndex;
  readonly prices: Prices;
  readonly learned: Teacher;
  readonly enforce: boolean;
  readonly log: Log;
}

/** One request on its way through the shaping. */
export interface Leaving {
  readonly recognised: Recognised;
  readonly departure: Pick<Departure, "headers" | "body">;
  /** Reads the request with another body and address, as it was read the first time; null where it is no call any more. */
  readonly again: (body: Buffer, learned: Learned, path: string | null) => ReadCall | null;
}

/** Reads a request again, as it would have been read with another body or address. */
export function rereader(request: Request): Leaving["again"] {
  return (body, learned, path) => readCall({ ...request, body, path: path ?? request.path, learned });
}

/** The request as it stands after a step: bytes, and what they say. */
interface Version {
  readonly body: Buffer | null;
  /** Null where it is the one that it came with. */
  readonly path: string | null;
  readonly read: ReadCall;
}

type Unshaped = Decided["unshaped"][number];

/** Asks the cheapest of the models that rules send the call to, then applies the smallest cap that fires. */
export async function shapeCall(options: ShapingOptions, read: ReadCall, leaving: Leaving): Promise<Shaped> {
  const { plan, rulesFor, enforce, log } = options;
  const rules = rulesFor(read.call);
  const untouched: Shaped = { read, rules, body: null, path: null, cap: null, route: null, unshaped: NOTHING };
  if (!shapes(plan)) return untouched;
  const wanted = await decide(options, read, rules);
  if (wanted.cap === null && wanted.routes.length === 0) return untouched;

  const first: Version = { body: leaving.departure.body, path: null, read };
  const fixed = fixedBy(read, leaving);
  const routed = await route(options, leaving, first, wanted.routes, fixed);
  const capped = await cap(options, leaving, routed.version, wanted, fixed);
  const unshaped = [...routed.unshaped, ...capped.unshaped];
  for (const { fired, why } of unshaped) {
    log.once(`shape ${fired.action.kind} ${why}`, "warn", `a call to ${read.call.model} was not changed: ${why}`);
  }
  const done = { cap: capped.cap, route: routed.route, unshaped };
  const { version } = capped;
  // Shadow mode says what would be done and leaves the bytes alone.
  if (!enforce || version === first) return { ...untouched, ...done };
  const { body, path } = version;
  return { read: version.read, rules: rulesFor(version.read.call), body, path, ...done };
}

const NOTHING: readonly never[] = Object.freeze([]);

/** What the rules want; the store is asked only where one of them looks at it. */
async function decide(options: ForesightOptions, { call }: ReadCall, rules: readonly Rule[]): Promise<Shape> {
  const alone = shape(options.plan, call, rules, null);
  return alone.needsReadings ? shape(options.plan, call, rules, await foresee(options, call, rules)) : alone;
}

/** Why no byte of the request may be changed, null where they may. */
function fixedBy({ call }: ReadCall, { departure }: Leaving): string | null {
  if (call.spending !== "metered") return "the endpoint cannot be metered";
  return whyFixed(departure.headers, call.path, departure.body);
}

interface Candidate {
  readonly route: Route;
  readonly version: Version;
}

/** The cheapest version by its own estimate, the call as it is where a rule names the very model that it asks. */
async function route(
  options: ShapingOptions,
  leaving: Leaving,
  first: Version,
  routes: readonly Route[],
  fixed: string | null,
): Promise<{ readonly version: Version; readonly route: Shaped["route"]; readonly unshaped: readonly Unshaped[] }> {
  const unshaped: Unshaped[] = [];
  let cheapest: Candidate | null = null;
  // By name, and only what is cheaper takes the place of another: ties go to the smallest name.
  for (const one of routes) {
    const found = await versionFor(options, leaving, first, one.model, fixed);
    if (typeof found === "string") unshaped.push(...one.fired.map((fired) => ({ fired, why: found })));
    else if (cheapest === null || costOf(found) < costOf(cheapest.version)) cheapest = { route: one, version: found };
  }
  if (cheapest === null || cheapest.version === first) return { version: first, route: null, unshaped };
  const { model, fired } = cheapest.route;
  return {
    version: cheapest.version,
    route: { from: first.read.call.modelAsSent, to: model, fired },
    unshaped,
  };
}

const costOf = ({ read }: Version): number => read.call.cost.total;

/** The request with another model in it, or why it cannot have it. */
async function versionFor(
  options: ShapingOptions,
  leaving: Leaving,
  first: Version,
  model: string,
  fixed: string | null,
): Promise<Version | string> {
  const { call } = first.read;
  const { provider } = leaving.recognised;
  if (canonicalModel(model) === call.model) return first;
  const why = fixed ?? whyElsewhere(options.prices, first.read, model);
  if (why !== null || first.body === null) return why ?? "the body cannot be read";
  const routed = routeModel(provider, call.operation, call.path, first.body, model);
  return routed.kind === "routed" ? readAnew(options, leaving, routed, model, call.subject.feature) : routed.why;
}

/** Why a model cannot be asked here, as far as the price table knows. */
function whyElsewhere(prices: Prices, { call }: ReadCall, model: string): string | null {
  const home = prices.home(call.provider, model);
  // A gateway serves the models of others: it shows by the one that is asked now.
  const gateway =
    providerPrefix(call.modelAsSent) !== null || prices.home(call.provider, call.modelAsSent).place === "elsewhere";
  if (home.place === "elsewhere" && !gateway) return `${model} is a model of another provider than ${call.provider}`;
  if (home.embeds === null || home.embeds === (call.operation === "embeddings")) return null;
  return home.embeds ? `${model} makes embeddings only` : `${model} makes no embeddings`;
}

/** The smallest cap on a version of the request, applied where it asks for more. */
async function cap(
  options: ShapingOptions,
  leaving: Leaving,
  before: Version,
  { cap: tokens, fired }: Shape,
  fixed: string | null,
): Promise<{ readonly version: Version; readonly cap: Shaped["cap"]; readonly unshaped: readonly Unshaped[] }> {
  const as = (version: Version, applied: Shaped["cap"], why: string | null) => ({
    version,
    cap: applied,
    unshaped: why === null ? NOTHING : fired.map((one) => ({ fired: one, why })),
  });
  if (tokens === null) return as(before, null, null);
  const { call } = before.read;
  if (before.body === null) return as(before, null, fixed ?? "the body cannot be read");
  const capped = capOutput(leaving.recognised.provider, call.operation, before.body, tokens);
  if (capped.kind === "unchanged") return as(before, null, null);
  if (fixed !== null) return as(before, null, fixed);
  if (capped.kind === "impossible") {
    return as(before, null, `it could not be capped at ${tokens} tokens: ${capped.why}`);
  }
  const changed = { body: capped.body, path: before.path };
  const version = await readAnew(options, leaving, changed, call.model, call.subject.feature);
  return typeof version === "string" ? as(before, null, version) : as(version, { tokens, fired }, null);
}

/** A changed request, read as if it had come like that. */
async function readAnew(
  options: ShapingOptions,
  leaving: Leaving,
  { body, path }: { readonly body: Buffer; readonly path: string | null },
  model: string,
  feature: string | undefined,
): Promise<Version | string> {
  const learned = await options.learned(leaving.recognised.provider.name, canonicalModel(model), feature ?? "");
  const read = leaving.again(body, learned, path);
  return read === null ? "the body cannot be changed" : { body, path, read };
}
