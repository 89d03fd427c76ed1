/**
 * Gemini's batches: the requests come with the batch or in a file, what was used comes with its end or in the file of its
 * results, an answer a line.
 */
import { type Fields, fields, list, text } from "../json.ts";
import type { AnswerHead, BatchedRequest, Following, RequestFacts, UsageReader, Work } from "../provider.ts";
import { googleAddress } from "./google-address.ts";
import { named, readGoogleRequest } from "./google-request.ts";
import { googleUsageReader } from "./google-usage.ts";
import { segments } from "./segments.ts";

/** What a batch asks for: the sum of its requests. */
export function readGoogleBatch(json: unknown, path: string): RequestFacts {
  const batch = fields(fields(json)?.batch) ?? {};
  const input = fields(named(batch, "inputConfig")) ?? {};
  const inline = list(fields(input.requests)?.requests);
  const requests = inline.map((item): BatchedRequest => {
    const facts = readGoogleRequest("generate", fields(item)?.request, path);
    return { operation: "generate", facts };
  });
  const file = text(named(input, "fileName"));
  return {
    ...readGoogleRequest("generate", {}, path),
    // What the batch is known by when it is sent again.
    lastMessage: requests.map(({ facts }) => facts.lastMessage).join("\n"),
    system: requests[0]?.facts.system ?? "",
    ...(file === null ? { requests } : { file }),
  };
}

/** Batches and interactions are asked for, or called off, by their name, and the results of a batch are fetched by it. */
export function googleFollows(method: string, path: string): Following | null {
  const parts = segments(path);
  const last = parts.at(-1) ?? "";
  const place = parts.at(-2);
  if (method === "GET" && place === "batches") return { operation: "batch", id: `batches/${last}`, lines: false };
  if (method === "GET" && place === "interactions") return { operation: "responses", id: last, lines: false };
  if (method === "POST" && last === "cancel" && parts.at(-3) === "interactions" && place !== undefined) {
    return { operation: "responses", id: place, lines: false };
  }
  const { verb } = googleAddress(path);
  const isResult = method === "GET" && place === "files" && verb === "download";
  return isResult ? resultsIn(last.slice(0, last.lastIndexOf(":"))) : null;
}

/** The results of `batches/b1` are in `files/batch-b1`, whoever asked how the batch fared. */
function resultsIn(file: string): Following {
  const batch = /^batch-(.+)$/.exec(file)?.[1];
  const id = `files/${file}`;
  return { operation: "batch", id, lines: true, ...(batch !== undefined && { of: `batches/${batch}` }) };
}

const PENDING = /^(BATCH|JOB)_STATE_(UNSPECIFIED|QUEUED|PENDING|RUNNING|CANCELLING|PAUSED|UPDATING)$/;

/** A reader for a batch, or for the lines of its results. */
export function googleBatchReader(head: AnswerHead): UsageReader {
  const answers: UsageReader[] = [];
  const ended: string[] = [];
  let work: Work | null = null;

  const answered = (line: unknown): void => {
    const answer = fields(fields(line)?.response);
    if (answer === null) return;
    const reader = googleUsageReader("generate", head);
    reader.take(answer);
    answers.push(reader);
  };

  const batch = (id: string, operation: Fields): void => {
    const metadata = fields(operation.metadata) ?? {};
    const state = text(metadata.state) ?? "";
    const response = fields(operation.response) ?? fields(metadata.output) ?? {};
    for (const line of list(fields(response.inlinedResponses)?.inlinedResponses)) answered(line);
    const results = text(response.responsesFile) ?? undefined;
    const over = operation.done === true || (state !== "" && !PENDING.test(state));
    if (over) ended.splice(0, 1, state);
    // What succeeded into a file is told by that file.
    work = { id, done: over && results === undefined, results };
  };

  return {
    take(json) {
      const body = fields(json);
      const name = text(body?.name);
      if (body !== null && name?.startsWith("batches/")) batch(name, body);
      else answered(body);
    },
    facts() {
      const all = answers.map((reader) => reader.facts());
      const model = all.find((facts) => facts.model !== null)?.model ?? null;
      return {
        portions: all.flatMap((facts) => facts.portions.map((portion) => ({ ...portion, model: facts.model }))),
        model,
        responseId: work?.id ?? null,
        finishReasons: all.length > 0 && ended.length === 0 ? ["completed"] : ended,
        terms: { tier: "batch", speed: null, region: null },
        webSearches: all.reduce((sum, facts) => sum + facts.webSearches, 0),
        fileSearches: 0,
        ...(work !== null && { work }),
      };
    },
  };
}
