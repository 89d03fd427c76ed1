/**
 * Embeddings by Vertex's `:predict`: each of them counts its own tokens.
 */
import { count, fields, list } from "../json.ts";
import { NOTHING_TOLD, type UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";

/** A reader for one answer. */
export function predictUsageReader(): UsageReader {
  let inputTokens = 0;
  return {
    take(json) {
      for (const item of list(fields(json)?.predictions)) {
        inputTokens += count(fields(fields(fields(item)?.embeddings)?.statistics)?.token_count);
      }
    },
    facts() {
      const used = usage({ inputTokens });
      return {
        ...NOTHING_TOLD,
        portions: isEmpty(used) ? [] : [{ model: null, usage: used }],
      };
    },
  };
}
