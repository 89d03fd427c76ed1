/**
 * Imagen: pictures by the piece, as many as are asked for and are not withheld.
 */
import { fields, list, positive, text } from "../json.ts";
import { NOTHING_TOLD, type RequestFacts, type UsageReader } from "../provider.ts";
import { usage } from "../usage.ts";

/** Four pictures at most, one where nothing is said on Google's AI platform; Vertex makes four. */
const USUAL = 4;

/** What a request for pictures adds to what every request says. */
export function readPictures(facts: RequestFacts, json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const prompts = list(body.instances).map((item) => text(fields(item)?.prompt) ?? "");
  const each = positive(fields(body.parameters)?.sampleCount) ?? USUAL;
  const lastMessage = prompts.join("\n");
  return {
    ...facts,
    textBytes: Buffer.byteLength(lastMessage),
    units: { images: each * Math.max(1, prompts.length) },
    outputTokens: 0,
    maxTokens: null,
    lastMessage,
  };
}

/** Counts the pictures of an answer; one that the filters withheld has a reason and no bytes. */
export function picturesReader(): UsageReader {
  let images = 0;
  return {
    take(json) {
      images += list(fields(json)?.predictions).filter((item) => isPicture(fields(item) ?? {})).length;
    },
    facts: () => ({
      ...NOTHING_TOLD,
      portions: images === 0 ? [] : [{ model: null, usage: usage({ units: { images } }) }],
    }),
  };
}

const isPicture = ({ bytesBase64Encoded, gcsUri }: Readonly<Record<string, unknown>>): boolean =>
  text(bytesBase64Encoded) !== null || text(gcsUri) !== null;
