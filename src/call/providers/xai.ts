/**
 * xAI: OpenAI's chat and responses, Anthropic's messages. It counts reasoning beside the completion, and tells what the
 * call cost in ticks of a ten-billionth of a dollar, tools included.
 */
import { compatible } from "./compatible.ts";

/** docs.x.ai, "Cost tracking": `cost_in_usd_ticks`, 10,000,000,000 to the dollar. */
const TICKS = 1e10;

export const xai = compatible({
  name: "xai",
  hosts: ["api.x.ai", "*.api.x.ai"],
  ownUsage(told) {
    const ticks = told.cost_in_usd_ticks;
    // Zero is what a tool or a preview may report by default; the price table then says what it costs.
    return typeof ticks === "number" && ticks > 0 ? { reportedCost: ticks / TICKS } : {};
  },
  // grok-3-mini shows what it thinks; later ones do not (docs.x.ai, "Reasoning").
  hidesReasoning: (model) => /grok-(4|code)/.test(model),
});
