/**
 * Reading what a rerank request asks for: the words of Cohere, which Voyage, Together, Jina and others took over.
 */
import { Gathering } from "../gather.ts";
import { fields, list, text, undecoded } from "../json.ts";
import { bytesOf } from "../long-text.ts";
import { NOTHING_ASKED, type RequestFacts } from "../provider.ts";

/** What the body says; the query is read again with every document. */
export function readRerankRequest(json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const all = new Gathering();
  const documents = list(body.documents);
  const query = undecoded(body.query) ?? "";
  const lastMessage = all.listen(() => {
    all.text(query);
    for (const document of documents) all.json(document);
  });
  all.textBytes += bytesOf(query) * Math.max(0, documents.length - 1);
  return {
    ...NOTHING_ASKED,
    model: text(body.model),
    textBytes: all.textBytes,
    lastMessage,
  };
}
