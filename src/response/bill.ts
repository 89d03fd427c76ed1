/**
 * What a call costs in the end. What the provider says it used is the bill; where it says nothing, the bill is an
 * explicit estimate, and zero only where surely nothing was spent.
 */
import type { Bill, Call, Cost, CostSource, Outcome, Usage } from "../call/call.ts";
import { costAs, costOf, NO_COST, sumCost, total } from "../call/cost.ts";
import { clean } from "../call/identity.ts";
import { canonicalModel } from "../call/model.ts";
import type { Priced, Prices } from "../call/price.ts";
import { type Portion, STANDARD, type Terms } from "../call/provider.ts";
import { providerNamed } from "../call/providers/all.ts";
import { multiplier, multiplierAtMost } from "../call/terms.ts";
import { hasRate } from "../call/unit-prices.ts";
import { NO_USAGE, sumUsage, usage } from "../call/usage.ts";
import type { ResponseReading } from "./reader.ts";

export interface BillSources {
  readonly call: Call;
  /** `NO_RESPONSE` where none began. */
  readonly reading: ResponseReading;
  readonly outcome: Outcome;
  readonly prices: Prices;
  /** The terms that the request asked for: they price what the response does not tell. */
  readonly asked?: Terms;
}

/** The bill of one attempt, however it ended. */
export function bill(sources: BillSources): Bill {
  const { call, reading, outcome } = sources;
  // Nothing can be counted of an unmetered call, and a free one spends nothing.
  if (call.spending !== "metered") return write(sources, NO_USAGE, NO_COST, "estimate", false);
  // Work that goes on is held at its estimate until its end is told.
  if (reading.work?.done === false) return write(sources, usageOf(call), call.cost, "estimate", call.unpriced);
  // What the provider counted is charged as counted, even where the call then failed.
  if (reading.portions.length > 0 && isFinal(reading) && !isCountedOtherwise(sources)) return counted(sources);
  const extent = extentOf(call, reading, outcome);
  return extent === "nothing" ? write(sources, NO_USAGE, NO_COST, "local", false) : guessed(sources, extent);
}

/**
 * Whether the usage that was read is all there will be. A stream that is cut off has told its input at its start
 * (Anthropic) but not yet its output, which is then taken from what streamed.
 */
const isFinal = (reading: ResponseReading): boolean => !reading.streamed || reading.finishReasons.length > 0;

/** What a call was expected to use. */
const usageOf = ({ inputTokens, outputTokens, units }: Call): Usage =>
  usage({ inputTokens, outputTokens, ...(units !== undefined && { units }) });

/** Pieces that an answer shows of a model that is billed by tokens, and no tokens: their number is no bill. */
function isCountedOtherwise({ call, reading, prices }: BillSources): boolean {
  return reading.portions.every(({ model, usage: used }) => {
    const units = Object.keys(used.units ?? {});
    if (units.length === 0 || used.inputTokens + used.outputTokens > 0 || used.reportedCost !== null) return false;
    const { card, unpriced } = prices.of(call.provider, model ?? call.modelAsSent, call.operation);
    return !unpriced && !units.some((unit) => hasRate(card.units, unit));
  });
}

/** How much of a call that nobody counted was surely done: `answered` in full, `streamed` as far as it came. */
type Extent = "nothing" | "streamed" | "answered";

function extentOf(call: Call, reading: ResponseReading, outcome: Outcome): Extent {
  // An error is not billed, however it ended, and a redirect is no answer: the request that follows is judged by itself.
  if (reading.status !== null && reading.status >= 300) return "nothing";
  switch (outcome.kind) {
    case "success":
      // The provider broke off inside an answer that ended well as HTTP: it said so, or usage began and no end came.
      return reading.failed || (reading.portions.length > 0 && reading.streamed) ? "streamed" : "answered";
    case "provider-error":
      // The provider refused or failed before it counted anything: errors are not billed.
      return "nothing";
    case "timeout":
      // The provider went on working after the caller stopped waiting.
      return "answered";
    case "aborted":
      return cutOff(call, reading);
    case "network-error":
      // Where no connection was made nothing was sent. Where it broke the provider has at least read the input.
      return reading.status === null && NOT_CONNECTED.test(outcome.code) ? "nothing" : cutOff(call, reading);
  }
}

/**
 * Cut off before an answer began, the input was read; inside a stream, what came was produced too. An answer that comes
 * whole was produced whole before its first byte left the provider. Of spoken text nobody sees how much came: it is
 * charged whole.
 */
const cutOff = (call: Call, reading: ResponseReading): Extent =>
  reading.status !== null && (call.operation === "speech" || (!reading.streamed && !call.stream))
    ? "answered"
    : "streamed";

/** Codes of failures before the first byte of a request leaves: no address, no route, no connection, no trust. */
const NOT_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENETDOWN|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_INVALID_|UND_ERR_INVALID_ARG)/;

/** The bill by what the provider counted. */
function counted(sources: BillSources): Bill {
  const { call, reading, prices } = sources;
  const parts = reading.portions.map((portion) => {
    const { priced, model } = priceFor(call, portion, reading.model, prices);
    const millis = multiplier(call.provider, canonicalModel(model), reading.terms);
    const asked = call.variant === undefined ? portion.usage : { variant: call.variant, ...portion.usage };
    const card = portion.summed === true ? { ...priced.card, long: [] } : priced.card;
    return { cost: costOf(asked, card, millis), unpriced: priced.unpriced };
  });
  const used = sumUsage(reading.portions.map((portion) => portion.usage));
  const cost = sumCost(parts.map((part) => part.cost));
  // A provider that names its price is right, whatever the table says.
  if (used.reportedCost !== null) {
    return write(sources, used, costAs(Math.round(used.reportedCost * 1e9), cost), "provider", false);
  }
  const unpriced = parts.some((part) => part.unpriced);
  return write(sources, used, cost, "local", unpriced);
}

/** The bill where the provider counted nothing, or not to the end. */
function guessed(sources: BillSources, extent: "streamed" | "answered"): Bill {
  const { call, reading, prices, asked = STANDARD } = sources;
  const { units, ...known } = sumUsage(reading.portions.map((portion) => portion.usage));
  const produced = call.operation === "embeddings" ? 0 : outputTokens(call, reading, known, extent);
  const used = usage({
    ...known,
    // Pieces that were asked for are made whether their answer arrives or not.
    ...(call.units !== undefined && { units: units ?? call.units }),
    ...(call.variant !== undefined && { variant: call.variant }),
    ...(call.operation === "images" && { outputImageTokens: produced }),
    inputTokens: known.inputTokens === 0 ? call.inputTokens : known.inputTokens,
    outputTokens: produced,
    webSearches: Math.max(known.webSearches, reading.webSearches),
    fileSearches: Math.max(known.fileSearches ?? 0, reading.fileSearches),
    reportedCost: null,
  });
  const { priced, model } = priceFor(call, { model: null, usage: used }, reading.model, prices);
  const cost = costOf(used, priced.card, multiplierAtMost(call.provider, canonicalModel(model), asked));
  // Where even the input is a guess, it costs what was held for it: caching and terms are in that already.
  const { input, cacheWrite } = known.inputTokens === 0 ? call.cost : cost;
  const drawn = reading.portions.length > 0 ? [] : (reading.drawn ?? []);
  const pictures = drawn.map((one) => costOf(one.usage, priceFor(call, one, reading.model, prices).priced.card));
  const whole = sumCost([total({ ...cost, input, cacheWrite }), ...pictures]);
  return write(sources, sumUsage([used, ...drawn.map((one) => one.usage)]), whole, "estimate", priced.unpriced);
}

/** What was produced: at least a token for every 3 bytes of text, and for every event that brought text. */
function outputTokens(call: Call, reading: ResponseReading, known: Usage, extent: Extent): number {
  const seen = Math.max(Math.ceil(reading.deltaBytes / 3), reading.deltas, known.outputTokens);
  return extent === "answered" && reading.silent !== true && !showsAll(call, reading)
    ? Math.max(seen, call.outputTokens)
    : seen;
}

/** Whether what streamed is all that was produced: a finished stream of a model that shows all it thinks. */
function showsAll(call: Call, reading: ResponseReading): boolean {
  if (reading.deltas === 0 || reading.finishReasons.length === 0) return false;
  return providerNamed(call.provider)?.hidesReasoning(call.model) === false;
}

/**
 * The price of the model that answered, since a name like `gpt-4o` may be served by a dated one of another price; of the
 * asked one where the answer's name is not known, and where the deployment has a price of its own for it.
 */
function priceFor(
  call: Call,
  portion: Portion,
  answered: string | null,
  prices: Prices,
): { readonly priced: Priced; readonly model: string } {
  const asked = { priced: prices.of(call.provider, call.modelAsSent, call.operation), model: call.modelAsSent };
  const name = portion.model ?? answered;
  // Answers by way of Hugging Face leave out the server that was asked for.
  const unsaid = !asked.priced.unpriced && call.modelAsSent.startsWith(`${name}:`);
  if (name === null || unsaid) return asked;
  const isAnswer = portion.model === null || portion.model === answered;
  if (asked.priced.own && isAnswer) return asked;
  const told = { priced: prices.of(call.provider, name, call.operation), model: name };
  return told.priced.unpriced && isAnswer ? asked : told;
}

function write(sources: BillSources, used: Usage, cost: Cost, source: CostSource, unpriced: boolean): Bill {
  const { call, reading } = sources;
  // These come from outside and go into keys and spans: bounded and without control characters.
  const model = clean(reading.model);
  return Object.freeze({
    usage: used,
    cost,
    source,
    unpriced,
    model: model === null ? call.model : canonicalModel(model),
    responseId: clean(reading.responseId),
    finishReasons: Object.freeze(reading.finishReasons.slice(0, 8).flatMap((reason) => clean(reason) ?? [])),
    serviceTier: clean(reading.terms.tier),
  });
}
