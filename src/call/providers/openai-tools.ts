/**
 * What OpenAI's own tools cost within a response: searches, containers to run code in, pictures.
 */
import type { Units, Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import { openaiPictureTokens } from "../media.ts";
import type { Portion } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";
import { DRAWS } from "./openai-media.ts";

export interface ToolCounts {
  readonly webSearches: number;
  readonly fileSearches: number;
  /** Containers that were opened, and searches by the preview of the tool; null where there were none. */
  readonly units: Units | null;
  /** Pictures are made by a model of their own and are no part of the usage of the response. */
  readonly pictures: readonly Portion[];
}

export interface ToolCounter {
  /** One item of a response's output, possibly seen before. */
  item(item: Fields | null): void;
  /** A response so far. */
  response(body: Fields): void;
  /** `model` is the one that answered: what a search costs may depend on it. */
  counts(model: string | null): ToolCounts;
}

/** Counts each tool call once, by its id, however often a stream names it. */
export function createToolCounter(): ToolCounter {
  const webSearches = new Set<string>();
  const fileSearches = new Set<string>();
  const containers = new Set<string>();
  const pictures = new Map<string, Fields>();
  let imageModel: string | null = null;
  let paidBefore = false;
  let previews = false;
  let told: Usage | null = null;

  /** Only a search costs; opening a page that was found does not (developers.openai.com/api/docs/pricing, tools). */
  const item = (called: Fields | null): void => {
    if (called === null) return;
    const id = text(called.id) ?? `#${webSearches.size + fileSearches.size + pictures.size}`;
    const action = text(fields(called.action)?.type);
    if (called.type === "web_search_call" && (action === null || action === "search")) webSearches.add(id);
    if (called.type === "file_search_call") fileSearches.add(id);
    // Several runs in one container are one session (developers.openai.com/api/docs/pricing, containers).
    if (called.type === "code_interpreter_call") containers.add(text(called.container_id) ?? id);
    // A shell may be the caller's own; that of a container names it.
    const shell = called.type === "shell_call" ? text(fields(called.environment)?.container_id) : null;
    if (shell !== null) containers.add(shell);
    if (called.type === "image_generation_call" && called.status !== "failed") pictures.set(id, called);
  };

  return {
    item,
    response(body) {
      for (const called of list(body.output)) item(fields(called));
      for (const tool of list(body.tools).map(fields)) {
        if (tool?.type === "image_generation") imageModel = text(tool.model) ?? imageModel;
        if (text(tool?.type)?.startsWith("web_search_preview")) previews = true;
        // A container that is named was opened, and paid, before.
        if (tool?.type === "code_interpreter" && typeof tool.container === "string") paidBefore = true;
        if (tool?.type === "shell" && fields(tool.environment)?.type === "container_reference") paidBefore = true;
      }
      const drawn = fields(fields(body.tool_usage)?.image_gen);
      if (drawn !== null) told = pictureUsage(drawn);
    },
    counts(answered) {
      const model = imageModel ?? DRAWS;
      const used = told !== null && !isEmpty(told) ? told : guessed([...pictures.values()], model);
      const sessions = paidBefore ? 0 : containers.size;
      const before = previews && isPreviewSearch(answered) ? webSearches.size : 0;
      const units = { ...(sessions > 0 && { codeSessions: sessions }), ...(before > 0 && { searches: before }) };
      return {
        webSearches: webSearches.size - before,
        fileSearches: fileSearches.size,
        units: sessions + before === 0 ? null : units,
        pictures: isEmpty(used) ? [] : [{ model, usage: used }],
      };
    },
  };
}

/**
 * Whether the preview of the search tool costs more with a model: with those that do not reason, for which what is found
 * is no input (developers.openai.com/api/docs/pricing, tools).
 */
export const isPreviewSearch = (model: string | null): boolean =>
  model !== null && /^(ft:)?(gpt-[34](?!\d)|chatgpt)/.test(model);

/** The usage of a picture model: text and pictures have prices of their own, and what it makes are pictures. */
export function pictureUsage(told: Fields): Usage {
  const inputs = fields(told.input_tokens_details);
  const outputs = fields(told.output_tokens_details);
  const outputTokens = count(told.output_tokens);
  return usage({
    inputTokens: count(told.input_tokens),
    outputTokens,
    cacheReadTokens: count(inputs?.cached_tokens),
    inputImageTokens: count(inputs?.image_tokens),
    outputImageTokens: outputs === null ? outputTokens : outputTokens - count(outputs.text_tokens),
  });
}

/** Where a response does not tell what its pictures used: by their size and quality. */
function guessed(pictures: readonly Fields[], model: string): Usage {
  const outputTokens = pictures.reduce(
    (sum, picture) => sum + openaiPictureTokens(model, text(picture.size) ?? "", text(picture.quality) ?? ""),
    0,
  );
  return usage({ outputTokens, outputImageTokens: outputTokens });
}
