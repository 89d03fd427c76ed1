/**
 * xAI: OpenAI's chat and responses, Anthropic's messages. It counts reasoning beside the completion, and tells what the
 * call cost in ticks of a ten-billionth of a dollar, tools included.
 */
import { fields } from "../json.ts";
import type { Endpoint } from "../provider.ts";
import { compatible } from "./compatible.ts";
import { segments } from "./segments.ts";

/** docs.x.ai, "Cost tracking": `cost_in_usd_ticks`, 10,000,000,000 to the dollar. */
const TICKS = 1e10;

const shared = compatible({ name: "xai", hosts: [] });

/** The prompt that its models have of their own, up to 150 tokens in recorded traffic. */
const PROMPT_BYTES = 450;

/** Its voice has addresses of its own, and one model each that nobody need name (docs.x.ai, "Voice API"). */
const VOICE: ReadonlyMap<string, Endpoint> = new Map([
  ["stt", { operation: "transcription", spending: "metered" }],
  ["tts", { operation: "speech", spending: "metered" }],
]);

/** A batch is made empty, and its requests come after it, a part at a time (docs.x.ai, "Batch API"). */
function batched(path: string): Endpoint | null {
  const parts = segments(path);
  if (parts.at(-1) === "batches") return { operation: "other", spending: "free" };
  return parts.includes("batches") && parts.at(-1) === "requests"
    ? { operation: "batch", spending: "unmetered" }
    : null;
}

const voice = (path: string): string => segments(path).at(-1) ?? "";

export const xai = compatible({
  name: "xai",
  hosts: ["api.x.ai", "*.api.x.ai"],
  endpoint: (method, path) => (method === "POST" ? (VOICE.get(voice(path)) ?? batched(path)) : null),
  readRequest(operation, json, path, headers) {
    const body = fields(json);
    if (body === null || !VOICE.has(voice(path))) return shared.readRequest(operation, json, path, headers);
    const named = { model: `grok-${voice(path)}`, ...body, input: body.text };
    return shared.readRequest(operation, named, path, headers);
  },
  refine: (facts, path) => (VOICE.has(voice(path)) ? facts : { ...facts, textBytes: facts.textBytes + PROMPT_BYTES }),
  ownUsage(told) {
    const ticks = told.cost_in_usd_ticks;
    // Zero is what a tool or a preview may report by default; the price table then says what it costs.
    return typeof ticks === "number" && ticks > 0 ? { reportedCost: ticks / TICKS } : {};
  },
  // grok-3-mini shows what it thinks; later ones do not (docs.x.ai, "Reasoning").
  hidesReasoning: (model) => /grok-(4|code)/.test(model),
});
