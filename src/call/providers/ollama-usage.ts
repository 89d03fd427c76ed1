/**
 * Reading what a native Ollama answer used: the last line of a stream, or the whole answer, has the counts. What was read
 * before and is still in memory may be left out of them (docs.ollama.com/api, "Usage").
 */
import { count, fields, text } from "../json.ts";
import { NOTHING_TOLD, type ResponseFacts, type UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";

/** A reader for one response, whole or line by line. */
export function ollamaUsageReader(): UsageReader {
  let counted = usage({});
  let model: string | null = null;
  let reason: string | null = null;
  return {
    take(json) {
      const line = fields(json);
      if (line === null) return;
      model = text(line.model) ?? model;
      if (line.done === true) reason = text(line.done_reason) ?? "stop";
      const inputTokens = count(line.prompt_eval_count);
      const outputTokens = count(line.eval_count);
      if (inputTokens > 0 || outputTokens > 0) counted = usage({ inputTokens, outputTokens });
    },
    facts: (): ResponseFacts => ({
      ...NOTHING_TOLD,
      portions: isEmpty(counted) && counted.outputTokens === 0 ? [] : [{ model: null, usage: counted }],
      model,
      finishReasons: reason === null ? [] : [reason],
    }),
  };
}
