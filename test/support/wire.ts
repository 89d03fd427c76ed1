/**
 * Wire formats of the providers that the fake one speaks: what it is asked to say → the bytes of JSON and event streams.
 * Shapes follow the public API references of the providers, as their own SDKs parse them.
 * @module
 */

/** What an answer used; input includes cached tokens for OpenAI and excludes them for Anthropic, as on the wire. */
export interface WireUsage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
}

export interface WireAnswer {
  readonly id: string;
  readonly model: string;
  /** The text in the pieces in which a stream sends it. */
  readonly pieces: readonly string[];
  readonly usage: WireUsage;
  /** Whether a chat stream tells its usage: in an event of its own, or, as Mistral's, in the last one. */
  readonly includeUsage: boolean | "last";
  readonly created: number;
}

export interface Wire {
  readonly json: (answer: WireAnswer) => unknown;
  /** Events of a stream as text, in order; null where the endpoint has none. */
  readonly events: ((answer: WireAnswer) => readonly string[]) | null;
  readonly error: (status: number, message: string) => unknown;
  /** Of a stream; server-sent events unless given. */
  readonly contentType?: string;
}

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: Event): string => `event: ${value.type}\n${data(value)}`;

function openaiError(status: number, message: string): unknown {
  const type = status === 429 ? "rate_limit_exceeded" : status >= 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param: null, code: status === 401 ? "invalid_api_key" : null } };
}

function chatUsage({ input, output, cacheRead = 0, reasoning = 0 }: WireUsage): unknown {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cacheRead, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const chat: Wire = {
  error: openaiError,
  json: (answer) => ({
    id: answer.id,
    object: "chat.completion",
    created: answer.created,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: answer.pieces.join(""), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: chatUsage(answer.usage),
    service_tier: "default",
    system_fingerprint: "fp_loopback",
  }),
  events(answer) {
    const chunk = (choices: unknown, usage: unknown): string =>
      data({
        id: answer.id,
        object: "chat.completion.chunk",
        created: answer.created,
        model: answer.model,
        service_tier: "default",
        system_fingerprint: "fp_loopback",
        choices,
        ...(answer.includeUsage === true || usage !== null ? { usage } : {}),
      });
    const choice = (delta: unknown, finish: string | null) => [
      { index: 0, delta, logprobs: null, finish_reason: finish },
    ];
    return [
      chunk(choice({ role: "assistant", content: "", refusal: null }, null), null),
      ...answer.pieces.map((piece) => chunk(choice({ content: piece }, null), null)),
      chunk(choice({}, "stop"), answer.includeUsage === "last" ? chatUsage(answer.usage) : null),
      ...(answer.includeUsage === true ? [chunk([], chatUsage(answer.usage))] : []),
      "data: [DONE]\n\n",
    ];
  },
};

const completions: Wire = {
  error: openaiError,
  json: (answer) => ({
    id: answer.id,
    object: "text_completion",
    created: answer.created,
    model: answer.model,
    choices: [{ index: 0, text: answer.pieces.join(""), logprobs: null, finish_reason: "stop" }],
    usage: chatUsage(answer.usage),
  }),
  events: null,
};

const responses: Wire = {
  error: openaiError,
  json: (answer) => response(answer, "completed"),
  events(answer) {
    const at = { item_id: `msg_${answer.id}`, output_index: 0, content_index: 0 };
    const whole = answer.pieces.join("");
    const item = { id: at.item_id, type: "message", status: "in_progress", role: "assistant", content: [] };
    const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
    const events: Event[] = [
      { type: "response.created", response: response(answer, "in_progress") },
      { type: "response.in_progress", response: response(answer, "in_progress") },
      { type: "response.output_item.added", output_index: 0, item },
      { type: "response.content_part.added", ...at, part },
      ...answer.pieces.map((delta) => ({ type: "response.output_text.delta", ...at, delta, logprobs: [] })),
      { type: "response.output_text.done", ...at, text: whole, logprobs: [] },
      { type: "response.content_part.done", ...at, part: { ...part, text: whole } },
      { type: "response.output_item.done", output_index: 0, item: { ...item, status: "completed" } },
      { type: "response.completed", response: response(answer, "completed") },
    ];
    return events.map((event, index) => named({ ...event, sequence_number: index }));
  },
};

function response(answer: WireAnswer, status: "completed" | "in_progress"): unknown {
  const { input, output, cacheRead = 0, reasoning = 0 } = answer.usage;
  const done = status === "completed";
  return {
    id: `resp_${answer.id}`,
    object: "response",
    created_at: answer.created,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    model: answer.model,
    output: done
      ? [
          {
            id: `msg_${answer.id}`,
            type: "message",
            status: "completed",
            role: "assistant",
            content: [{ type: "output_text", text: answer.pieces.join(""), annotations: [], logprobs: [] }],
          },
        ]
      : [],
    parallel_tool_calls: true,
    service_tier: "default",
    tools: [],
    usage: done
      ? {
          input_tokens: input,
          input_tokens_details: { cached_tokens: cacheRead },
          output_tokens: output,
          output_tokens_details: { reasoning_tokens: reasoning },
          total_tokens: input + output,
        }
      : null,
  };
}

const embeddings: Wire = {
  error: openaiError,
  json: (answer) => ({
    object: "list",
    // The openai package asks for base64 and decodes it: three floats.
    data: [
      {
        object: "embedding",
        index: 0,
        embedding: Buffer.from(Float32Array.of(0.1, 0.2, 0.3).buffer).toString("base64"),
      },
    ],
    model: answer.model,
    usage: { prompt_tokens: answer.usage.input, total_tokens: answer.usage.input },
  }),
  events: null,
};

function messageUsage({ input, output, cacheRead = 0, cacheWrite = 0 }: WireUsage): unknown {
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: "standard",
  };
}

const messages: Wire = {
  error(status, message) {
    const type = status === 429 ? "rate_limit_error" : status === 529 ? "overloaded_error" : "api_error";
    return { type: "error", error: { type, message }, request_id: "req_loopback" };
  },
  json: (answer) => ({
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: [{ type: "text", text: answer.pieces.join("") }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: messageUsage(answer.usage),
  }),
  events(answer) {
    const message = {
      id: answer.id,
      type: "message",
      role: "assistant",
      model: answer.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: messageUsage({ ...answer.usage, output: 1 }),
    };
    const events: Event[] = [
      { type: "message_start", message },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "ping" },
      ...answer.pieces.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: answer.usage.output },
      },
      { type: "message_stop" },
    ];
    return events.map(named);
  },
};

/** Cohere's second version: docs.cohere.com/reference/chat. */
const cohere: Wire = {
  error: (_, message) => ({ id: "loopback", message }),
  json: (answer) => ({
    id: answer.id,
    finish_reason: "COMPLETE",
    message: { role: "assistant", content: [{ type: "text", text: answer.pieces.join("") }] },
    usage: cohereUsage(answer.usage),
  }),
  events: (answer) =>
    [
      { type: "message-start", id: answer.id, delta: { message: { role: "assistant", content: [] } } },
      { type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "" } } } },
      ...answer.pieces.map((text) => ({ type: "content-delta", index: 0, delta: { message: { content: { text } } } })),
      { type: "content-end", index: 0 },
      { type: "message-end", delta: { finish_reason: "COMPLETE", usage: cohereUsage(answer.usage) } },
    ].map(named),
};

function cohereUsage({ input, output }: WireUsage): unknown {
  const counts = { input_tokens: input, output_tokens: output };
  return { billed_units: counts, tokens: counts };
}

/** A local server's own dialect, one JSON text a line: docs.ollama.com/api/chat. */
const ollama: Wire = {
  contentType: "application/x-ndjson",
  error: (_, message) => ({ error: message }),
  json: (answer) => ollamaLine(answer, answer.pieces.join(""), true),
  events: (answer) => [
    ...answer.pieces.map((piece) => `${JSON.stringify(ollamaLine(answer, piece, false))}\n`),
    `${JSON.stringify(ollamaLine(answer, "", true))}\n`,
  ],
};

function ollamaLine({ model, usage }: WireAnswer, content: string, done: boolean): unknown {
  const counts = { done_reason: "stop", prompt_eval_count: usage.input, eval_count: usage.output };
  const message = { role: "assistant", content };
  return { model, created_at: "2026-09-21T14:13:20Z", message, done, ...(done ? counts : {}) };
}

/** Last part of the path → how that endpoint speaks. */
export const wires: Readonly<Record<string, Wire>> = {
  "chat/completions": chat,
  completions,
  responses,
  embeddings,
  messages,
  "v2/chat": cohere,
  "api/chat": ollama,
};
