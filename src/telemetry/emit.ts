/**
 * The messenger of a process that is ending: reads its last words from stdin, makes the spans, delivers them.
 * Run only by `last-words.ts`.
 */
import { text } from "node:stream/consumers";
import type { Context } from "@opentelemetry/api";
import { type Api, apiSource } from "./api.ts";
import { flushProvider } from "./delivery.ts";
import type { LastWords } from "./last-words.ts";
import { createLog } from "./log.ts";
import type { Account, SpanIds } from "./observation.ts";
import { type IdGenerator, startSdk } from "./sdk.ts";
import { ownSpan } from "./span.ts";

const hex = (length: number): string => {
  let digits = "";
  while (digits.length < length) digits += Math.floor(Math.random() * 16).toString(16);
  return digits;
};

async function emit(): Promise<boolean> {
  const words = JSON.parse(await text(process.stdin)) as LastWords;
  const log = createLog("silent");
  let ids: SpanIds | null = null;
  // The very ids that the ended process had given: a backend that has the span already gets the same one again.
  const idGenerator: IdGenerator = {
    generateTraceId: () => ids?.traceId ?? hex(32),
    generateSpanId: () => ids?.spanId ?? hex(16),
  };
  if (!startSdk({ folders: words.folders, log, instrument: false, idGenerator })) return false;
  const source = apiSource(words.folders, log);
  const api = source.current();
  const provider = source.provider();
  if (api === null || provider === null) return false;
  const tracer = provider.getTracer("budget-guard", words.version);
  for (const account of words.accounts) {
    ids = account.ids;
    const { observation, ended } = account;
    const sight = ownSpan({
      api,
      tracer,
      ...observation,
      context: parentOf(api, account),
      conventions: words.conventions,
    });
    if (ended !== null) sight.end(ended);
  }
  await flushProvider(provider);
  return true;
}

function parentOf(api: Api, { ids }: Account): Context {
  if (ids === null || ids.parentSpanId === null) return api.ROOT_CONTEXT;
  const parent = { traceId: ids.traceId, spanId: ids.parentSpanId, traceFlags: 1, isRemote: true };
  return api.trace.setSpanContext(api.ROOT_CONTEXT, parent);
}

emit().then(
  (delivered) => process.exit(delivered ? 0 : 1),
  () => process.exit(1),
);
