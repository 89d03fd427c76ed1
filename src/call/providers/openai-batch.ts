/**
 * What an OpenAI batch used: told by the batch itself once it has ended, or, by older and compatible servers, only line by
 * line in the file of its results.
 */
import { count, type Fields, fields, text } from "../json.ts";
import { NOTHING_TOLD, type Portion, type ResponseFacts, type UsageReader, type Work } from "../provider.ts";
import { isEmpty } from "../usage.ts";
import { readUsage } from "./openai-usage.ts";

const ENDED = new Set(["completed", "failed", "expired", "cancelled"]);

/** A reader for a batch, or for the lines of its results. */
export function openaiBatchReader(): UsageReader {
  const portions: Portion[] = [];
  const finishReasons: string[] = [];
  let model: string | null = null;
  let work: Work | null = null;

  const batch = (body: Fields): void => {
    const id = text(body.id);
    const status = text(body.status);
    if (id === null || status === null) return;
    model = text(body.model) ?? model;
    const told = fields(body.usage);
    const used = told === null ? null : readUsage(told);
    if (used !== null && !isEmpty(used)) portions.splice(0, 1, { model, usage: used, summed: true });
    // A batch that never ran, or none of whose requests succeeded, is not billed.
    const nothing = count(fields(body.request_counts)?.completed) === 0;
    const results = text(body.output_file_id) ?? undefined;
    const ended = ENDED.has(status);
    if (ended) finishReasons.splice(0, 1, status);
    work = { id, done: ended && (portions.length > 0 || nothing), results };
  };

  const result = (line: Fields): void => {
    const body = fields(fields(line.response)?.body);
    const told = fields(body?.usage);
    if (body === null || told === null) return;
    const used = readUsage(told);
    if (!isEmpty(used)) portions.push({ model: text(body.model), usage: used });
    finishReasons.splice(0, 1, "completed");
  };

  return {
    take(json) {
      const body = fields(json);
      if (body === null) return;
      if (body.object === "batch") batch(body);
      else result(body);
    },
    facts: (): ResponseFacts => ({
      ...NOTHING_TOLD,
      portions,
      model,
      responseId: work?.id ?? null,
      finishReasons,
      terms: { tier: "batch", speed: null, region: null },
      ...(work !== null && { work }),
    }),
  };
}
