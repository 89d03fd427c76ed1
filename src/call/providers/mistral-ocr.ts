/**
 * Mistral's reading of documents, which is billed by the page (docs.mistral.ai, "OCR processor").
 */
import { count, type Fields, fields, list, text } from "../json.ts";
import { base64Bytes } from "../media.ts";
import { NOTHING_ASKED, NOTHING_TOLD, type RequestFacts, type UsageReader } from "../provider.ts";
import { usage } from "../usage.ts";

/** Bytes of a page, as little as scanned ones have; and pages of a document that lies elsewhere. */
const PAGE_BYTES = 30_000;
const PAGES = 20;

/** What the body says; pages that are annotated cost more. */
export function readOcr(json: unknown): RequestFacts {
  const body = fields(json) ?? {};
  const document = fields(body.document) ?? {};
  const formats = ["document_annotation_format", "bbox_annotation_format"].map((name) => fields(body[name]));
  const url = text(document.document_url) ?? text(fields(document.image_url)?.url) ?? text(document.image_url) ?? "";
  return {
    ...NOTHING_ASKED,
    model: text(body.model),
    units: { pages: pagesOf(body, document, url) },
    ...(formats.some((format) => format !== null) && { variant: "annotated" }),
    outputTokens: 0,
    lastMessage: url || (text(document.file_id) ?? ""),
  };
}

function pagesOf(body: Fields, document: Fields, url: string): number {
  const wanted = list(body.pages).length;
  if (wanted > 0) return wanted;
  if (document.image_url !== undefined) return 1;
  const comma = url.startsWith("data:") ? url.indexOf(",") : -1;
  return comma < 0 ? PAGES : Math.max(1, Math.ceil(base64Bytes(url.slice(comma + 1)) / PAGE_BYTES));
}

/** Counts the pages that an answer says were read. */
export function ocrReader(): UsageReader {
  let pages = 0;
  let model: string | null = null;
  return {
    take(json) {
      const body = fields(json);
      model = text(body?.model) ?? model;
      pages += count(fields(body?.usage_info)?.pages_processed);
    },
    facts: () => ({
      ...NOTHING_TOLD,
      portions: pages === 0 ? [] : [{ model: null, usage: usage({ units: { pages } }) }],
      model,
    }),
  };
}
