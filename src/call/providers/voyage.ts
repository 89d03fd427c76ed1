/**
 * Voyage: embeddings, multimodal and contextual ones too, and rerank, all by the token and told as one total.
 */
import { Gathering } from "../gather.ts";
import { type Fields, fields, list, undecoded } from "../json.ts";
import { dataOf, imageSize } from "../media.ts";
import { compatible } from "./compatible.ts";
import { segments } from "./segments.ts";

const shared = compatible({ name: "voyage", hosts: [] });

export const voyage = compatible({
  name: "voyage",
  hosts: ["api.voyageai.com", "ai.mongodb.com"],
  endpoint(method, path) {
    const last = segments(path).at(-1) ?? "";
    return method === "POST" && last.endsWith("embeddings") ? { operation: "embeddings", spending: "metered" } : null;
  },
  readRequest(operation, json, path, headers) {
    const facts = shared.readRequest(operation, json, path, headers);
    const inputs = list(fields(json)?.inputs);
    if (operation !== "embeddings" || inputs.length === 0) return facts;
    const all = new Gathering();
    const lastMessage = all.listen(() => {
      for (const input of inputs) for (const part of partsOf(input)) walkPart(part, all);
    });
    return { ...facts, textBytes: facts.textBytes + all.textBytes, mediaTokens: all.mediaTokens, lastMessage };
  },
});

/** Pieces of one document, or text and pictures that belong together (docs.voyageai.com, "Contextualized chunk", "Multimodal"). */
const partsOf = (input: unknown): readonly unknown[] => (Array.isArray(input) ? input : list(fields(input)?.content));

/** 560 pixels are a token; a picture that lies elsewhere is taken as one of two megapixels. */
const PIXELS = 560;
const UNSEEN = 2_000_000;

function walkPart(part: unknown, all: Gathering): void {
  const said: Fields = fields(part) ?? { text: part };
  all.text(said.text);
  const url = undecoded(said.image_base64) ?? undecoded(said.image_url);
  if (url === null) return;
  const data = dataOf(url);
  const size = data === null ? null : imageSize(data);
  all.media(Math.ceil((size === null ? UNSEEN : size.width * size.height) / PIXELS), url);
}
