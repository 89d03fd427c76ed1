/**
 * Anthropic's batches: the requests come with the batch, what was used comes with its results, a message a line.
 */
import { count, type Fields, fields, list, text } from "../json.ts";
import type { BatchedRequest, Following, RequestFacts, UsageReader, Work } from "../provider.ts";
import { readAnthropicRequest } from "./anthropic-request.ts";
import { anthropicUsageReader } from "./anthropic-usage.ts";
import { segments } from "./segments.ts";

/** What a batch asks for: the sum of its requests. */
export function readAnthropicBatch(json: unknown): RequestFacts {
  const body = fields(json);
  const requests = list(body?.requests).map(
    (item): BatchedRequest => ({ operation: "messages", facts: readAnthropicRequest(fields(item)?.params) }),
  );
  return {
    ...readAnthropicRequest({}),
    model: requests[0]?.facts.model ?? null,
    // What the batch is known by when it is sent again.
    lastMessage: requests.map(({ facts }) => facts.lastMessage).join("\n"),
    system: requests[0]?.facts.system ?? "",
    requests,
  };
}

/** Batches are asked for, or called off, by their id, and their results are fetched by it. */
export function anthropicFollows(method: string, path: string): Following | null {
  const parts = segments(path);
  const at = parts.lastIndexOf("batches");
  const id = parts[at + 1];
  if (at < 1 || parts[at - 1] !== "messages" || id === undefined) return null;
  const end = parts[at + 2];
  if (method === "GET" && end === "results") return { operation: "batch", id, lines: true };
  const asks = method === "GET" ? end === undefined : method === "POST" && end === "cancel";
  return asks ? { operation: "batch", id, lines: false } : null;
}

/** A reader for a batch, or for the lines of its results. */
export function anthropicBatchReader(): UsageReader {
  const messages = anthropicUsageReader();
  let work: Work | null = null;

  const batch = (body: Fields): void => {
    const id = text(body.id);
    if (id === null) return;
    // Only what succeeded is billed, and only the results tell how much that was.
    const nothing = count(fields(body.request_counts)?.succeeded) === 0;
    work = { id, done: body.processing_status === "ended" && nothing };
  };

  return {
    take(json) {
      const body = fields(json);
      if (body?.type === "message_batch") batch(body);
      else messages.take(fields(body?.result)?.message);
    },
    facts() {
      const facts = messages.facts();
      return {
        ...facts,
        responseId: work?.id ?? facts.responseId,
        terms: { ...facts.terms, tier: "batch" },
        ...(work !== null && { work }),
      };
    },
  };
}
