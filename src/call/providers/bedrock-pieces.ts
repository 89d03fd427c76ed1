/**
 * What Amazon Bedrock bills by the piece: pictures that are drawn or changed, and documents that are ranked.
 */
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, positive, text } from "../json.ts";
import { NOTHING_ASKED, NOTHING_TOLD, type RequestFacts, type UsageReader } from "../provider.ts";
import { usage } from "../usage.ts";
import { withoutArn } from "./bedrock-model.ts";

/** What a request for pictures says, in the words of Titan and Nova Canvas, or of Stability. */
export function readDrawing(json: unknown, model: string | null): RequestFacts {
  const body = fields(json) ?? {};
  const config = fields(body.imageGenerationConfig) ?? {};
  const images = positive(config.numberOfImages) ?? positive(body.samples) ?? 1;
  const all = new Gathering();
  const lastMessage = all.listen(() => {
    const task = Object.entries(body).find(([name]) => name.endsWith("Params"))?.[1];
    for (const part of [body, fields(task) ?? {}]) for (const name of WORDS) all.text(part[name]);
  });
  const variant = variantOf(config);
  return { ...facts(model, lastMessage, all.textBytes), units: { images }, outputTokens: 0, variant };
}

const WORDS = ["prompt", "negative_prompt", "text", "negativeText", "maskPrompt"] as const;

/** Pictures over 1,024 pixels cost more, and so do those of premium quality (aws.amazon.com/bedrock/pricing). */
function variantOf({ quality, width, height }: Fields): string {
  const longest = Math.max(positive(width) ?? 1024, positive(height) ?? 1024);
  return `${quality === "premium" ? "premium" : "standard"} ${longest > 1024 ? 2048 : 1024}`;
}

/** One search is a query with up to 100 documents (aws.amazon.com/bedrock/pricing). */
const DOCUMENTS = 100;

/** What a request to rank says, to a model or to the rerank API, which names its model in the body. */
export function readRanking(json: unknown, model: string | null): RequestFacts {
  const body = fields(json) ?? {};
  const config = fields(fields(body.rerankingConfiguration)?.bedrockRerankingConfiguration);
  const arn = text(fields(config?.modelConfiguration)?.modelArn);
  const documents = list(body.documents).length + list(body.sources).length;
  const queries = Math.max(1, list(body.queries).length);
  const all = new Gathering();
  const lastMessage = all.listen(() => {
    for (const part of [body.query, body.queries, body.documents, body.sources]) all.json(part);
  });
  const searches = queries * Math.max(1, Math.ceil(documents / DOCUMENTS));
  const asked = model ?? (arn === null ? null : withoutArn(arn));
  return { ...facts(asked, lastMessage, all.textBytes), units: { searches } };
}

function facts(model: string | null, lastMessage: string, textBytes: number): RequestFacts {
  return {
    ...NOTHING_ASKED,
    model,
    textBytes,
    lastMessage,
  };
}

/** Counts the pictures of an answer; what was ranked is told by the request alone. */
export function piecesReader(): UsageReader {
  let images = 0;
  return {
    take(json) {
      const body = fields(json) ?? {};
      const drawn = [...list(body.images), ...list(body.artifacts).map((item) => fields(item)?.base64)];
      images += drawn.filter((picture) => text(picture) !== null).length;
    },
    facts: () => ({
      ...NOTHING_TOLD,
      portions: images === 0 ? [] : [{ model: null, usage: usage({ units: { images } }) }],
    }),
  };
}
