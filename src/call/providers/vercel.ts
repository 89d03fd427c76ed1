/**
 * Vercel's AI Gateway: OpenAI's and Anthropic's dialects with `maker/model` names, and the AI SDK's own protocol, which names the
 * model in a header. What it reports as cost is the bill.
 */
import type { Operation } from "../call.ts";
import { fields, positive } from "../json.ts";
import type { CapPlan, Endpoint } from "../provider.ts";
import { compatible, speaker } from "./compatible.ts";
import { segments } from "./segments.ts";
import { gatewayCost, vercelUsageReader } from "./vercel-usage.ts";

/** The AI SDK's protocol: `/v3/ai/language-model`. */
const PROTOCOL: ReadonlyMap<string, Endpoint> = new Map([
  ["language-model", { operation: "invoke", spending: "metered" }],
  ["embedding-model", { operation: "embeddings", spending: "metered" }],
]);

const isProtocol = (path: string): boolean => segments(path).at(-2) === "ai";

function endpoint(method: string, path: string): Endpoint | null {
  return method === "POST" && isProtocol(path) ? (PROTOCOL.get(segments(path).at(-1) ?? "") ?? null) : null;
}

function cap(operation: Operation, json: unknown, tokens: number): CapPlan {
  if (operation !== "invoke") return shared.cap(operation, json, tokens);
  if ((positive(fields(json)?.maxOutputTokens) ?? Number.POSITIVE_INFINITY) <= tokens) return { kind: "unchanged" };
  return { kind: "edits", edits: [{ path: ["maxOutputTokens"], value: tokens, insert: true }] };
}

const shared = compatible({
  name: "vercel",
  hosts: [],
  ownUsage(_told, body, usual) {
    const cost = gatewayCost(body);
    return cost === null ? usual : { ...usual, reportedCost: cost };
  },
});

export const vercel = compatible({
  name: "vercel",
  hosts: ["ai-gateway.vercel.sh"],
  endpoint,
  cap,
  readRequest(operation, body, path, headers = {}) {
    if (!isProtocol(path)) return shared.readRequest(operation, body, path, headers);
    const asked = fields(body) ?? {};
    // A prompt of the AI SDK is a list of messages with parts.
    const facts = shared.readRequest(
      operation === "embeddings" ? "embeddings" : "chat",
      operation === "embeddings" ? { input: asked.values } : { ...asked, messages: asked.prompt },
      path,
      headers,
    );
    return {
      ...facts,
      model: headers["ai-language-model-id"] ?? headers["ai-embedding-model-id"] ?? headers["ai-model-id"] ?? null,
      stream: headers["ai-language-model-streaming"] === "true",
      maxTokens: positive(asked.maxOutputTokens),
    };
  },
  usageReader: (operation, head) => (isProtocol(head.path) ? vercelUsageReader() : shared.usageReader(operation, head)),
  streamKeys: (operation) => speaker(operation).streamKeys(operation),
  route: (operation, path, body, model) =>
    isProtocol(path)
      ? { kind: "impossible", why: "the model is in a header" }
      : speaker(operation).route(operation, path, body, model),
});
