// One client in one way, once for each identity, all at the same time. Arguments: provider URL, client name, `json`,
// `stream` or `abort`, identities as JSON. Prints one line of JSON: for each, the text that came, or the error as a developer
// sees it. A client is `(mode, signal, came) → text`; `came` is told of each piece of a stream, and with the first one an
// abort is asked for.
import { once } from "node:events";
import { withBudget } from "budget-guard";

const [url, name, mode, identities] = process.argv.slice(2);
const apiKey = "a-key";
const model = "fixed-model";
const messages = [{ role: "user", content: "hi" }];
const request = { model, max_tokens: 100, messages };
const post = (stream) => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
  body: JSON.stringify({ ...request, ...(stream ? { stream, stream_options: { include_usage: true } } : {}) }),
});
const chat = `${url}/v1/chat/completions`;

/** Reads pieces out of an async iterable, each by `text`. With a signal it leaves the loop itself, too. */
async function gather(stream, text, came, signal) {
  let all = "";
  for await (const part of stream) {
    const piece = text(part) ?? "";
    all += piece;
    if (piece !== "") came();
    signal?.throwIfAborted();
  }
  return all;
}

/** A refusal, for clients that have no errors of their own. */
function refused(status, body) {
  const { error } = JSON.parse(body);
  return Object.assign(new Error(error.message), { status, name: "HttpError" });
}

const contentOf = (event) => (event.startsWith("{") ? (JSON.parse(event).choices[0]?.delta.content ?? "") : "");

/** Reads a body of bytes as an answer of chat completions. */
async function read(status, body, streamed, came) {
  const decoder = new TextDecoder();
  let text = "";
  let said = 0;
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    // The event that opens the answer brings no text yet.
    const pieces = text.split('"content":"').length - 2;
    if (streamed && status === 200 && pieces > said) {
      said = pieces;
      came();
    }
  }
  if (status !== 200) throw refused(status, text);
  if (!streamed) return JSON.parse(text).choices[0].message.content;
  return text
    .split("\n\n")
    .map((event) => contentOf(event.replace(/^data: /, "")))
    .join("");
}

const fetching = (fetch) => async (how, signal, came) => {
  const response = await fetch(chat, { ...post(how !== "json"), signal });
  return read(response.status, response.body, how !== "json", came);
};

async function undici(version) {
  const { Agent, request: ask, fetch: own } = await import(`undici${version}`);
  const requesting = (more) => async (how, signal, came) => {
    const { statusCode, body } = await ask(chat, { ...post(how !== "json"), signal, ...more });
    return read(statusCode, body, how !== "json", came);
  };
  return {
    request: requesting({}),
    fetch: fetching(own),
    http2: (...how) => requesting({ dispatcher: new Agent({ allowH2: true }) })(...how),
  };
}

/** By node:http, or by node:https where the address says so. */
async function byNode(how, signal, came) {
  const { request: ask } = await import(url.startsWith("https:") ? "node:https" : "node:http");
  const { method, headers, body } = post(how !== "json");
  const response = await new Promise((resolve, reject) => {
    ask(chat, { method, headers, signal }, resolve).on("error", reject).end(body);
  });
  return read(response.statusCode, response, how !== "json", came);
}

const openai = async () => new (await import("openai")).default({ baseURL: `${url}/v1`, apiKey });
const anthropic = async () => new (await import("@anthropic-ai/sdk")).default({ baseURL: url, apiKey });

async function vercel(make, how, signal, came) {
  const { generateText, streamText } = await import("ai");
  const asked = { model: make, maxOutputTokens: 100, messages, abortSignal: signal };
  if (how === "json") return (await generateText(asked)).text;
  let failure = null;
  const { fullStream } = streamText({ ...asked, onError() {} });
  const text = await gather(
    fullStream,
    (part) => {
      if (part.type === "error") failure = part.error;
      return part.type === "text-delta" ? part.text : "";
    },
    came,
  );
  if (failure !== null) throw failure;
  if (signal.aborted) throw signal.reason;
  return text;
}

async function langchain(make, how, signal, came) {
  if (how === "json") return (await make.invoke("hi", { signal })).content;
  return gather(await make.stream("hi", { signal }), ({ content }) => content, came);
}

const clients = {
  fetch: fetching(globalThis.fetch),
  ...Object.fromEntries(
    [5, 6, 7, 8].flatMap((version) =>
      ["request", "fetch", "http2"].map((way) => [
        `undici ${version} ${way}`,
        async (...how) => (await undici(version))[way](...how),
      ]),
    ),
  ),
  "node-fetch": async (...how) => fetching((await import("node-fetch")).default)(...how),
  ky: async (how, signal, came) => {
    const { default: ky } = await import("ky");
    const response = await ky(chat, { ...post(how !== "json"), signal, retry: 0, throwHttpErrors: false });
    return read(response.status, response.body, how !== "json", came);
  },
  axios: async (how, signal, came) => {
    const { default: axios } = await import("axios");
    const { headers, body } = post(how !== "json");
    const options = { headers, signal, responseType: "stream", validateStatus: () => true };
    const { status, data } = await axios.post(chat, body, options);
    return read(status, data, how !== "json", came);
  },
  got: async (how, signal, came) => {
    const { default: got } = await import("got");
    const { headers, body } = post(how !== "json");
    const stream = got.stream.post(chat, { headers, body, signal, throwHttpErrors: false, retry: { limit: 0 } });
    const [{ statusCode }] = await once(stream, "response");
    return read(statusCode, stream, how !== "json", came);
  },
  "node:http": byNode,
  "node:https": byNode,
  "node:http2": async (how, signal, came) => {
    const { connect } = await import("node:http2");
    const session = connect(url);
    const { method, headers, body } = post(how !== "json");
    const stream = session.request({ ":method": method, ":path": new URL(chat).pathname, ...headers }, { signal });
    try {
      const [head] = await once(stream.end(body), "response");
      return await read(head[":status"], stream, how !== "json", came);
    } finally {
      session.close();
    }
  },

  openai: async (how, signal, came) => {
    const client = await openai();
    if (how === "json") {
      return (await client.chat.completions.create(request, { signal })).choices[0].message.content;
    }
    const options = { ...request, stream: true, stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create(options, { signal });
    const text = await gather(stream, (chunk) => chunk.choices[0]?.delta.content, came);
    if (signal.aborted) throw signal.reason;
    return text;
  },
  "openai responses": async (how, signal, came) => {
    const client = await openai();
    const asked = { model, input: "hi", max_output_tokens: 100 };
    if (how === "json") return (await client.responses.create(asked, { signal })).output_text;
    const stream = await client.responses.create({ ...asked, stream: true }, { signal });
    const text = await gather(
      stream,
      (event) => (event.type === "response.output_text.delta" ? event.delta : ""),
      came,
    );
    if (signal.aborted) throw signal.reason;
    return text;
  },
  "@anthropic-ai/sdk": async (how, signal, came) => {
    const client = await anthropic();
    if (how === "json") return (await client.messages.create(request, { signal })).content[0].text;
    const stream = await client.messages.create({ ...request, stream: true }, { signal });
    const text = await gather(stream, (event) => event.delta?.text, came);
    if (signal.aborted) throw signal.reason;
    return text;
  },
  "ai with openai": async (...how) => {
    const { createOpenAI } = await import("@ai-sdk/openai");
    return vercel(createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(model), ...how);
  },
  "ai with anthropic": async (...how) => {
    const { createAnthropic } = await import("@ai-sdk/anthropic");
    return vercel(createAnthropic({ baseURL: `${url}/v1`, apiKey })(model), ...how);
  },
  "@langchain/openai": async (...how) => {
    const { ChatOpenAI } = await import("@langchain/openai");
    return langchain(
      new ChatOpenAI({ model, apiKey, maxTokens: 100, configuration: { baseURL: `${url}/v1` } }),
      ...how,
    );
  },
  "@langchain/anthropic": async (...how) => {
    const { ChatAnthropic } = await import("@langchain/anthropic");
    return langchain(new ChatAnthropic({ model, apiKey, maxTokens: 100, anthropicApiUrl: url }), ...how);
  },
  langgraph: async (how, signal, came) => {
    const { StateGraph, MessagesAnnotation } = await import("@langchain/langgraph");
    const { ChatOpenAI } = await import("@langchain/openai");
    const llm = new ChatOpenAI({ model, apiKey, maxTokens: 100, configuration: { baseURL: `${url}/v1` } });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("agent", async (state, config) => ({ messages: [await llm.invoke(state.messages, config)] }))
      .addEdge("__start__", "agent")
      .addEdge("agent", "__end__")
      .compile();
    const input = { messages: [{ role: "user", content: "hi" }] };
    if (how === "json") return (await graph.invoke(input, { signal })).messages.at(-1).content;
    const stream = await graph.stream(input, { signal, streamMode: "messages" });
    return gather(stream, ([chunk]) => chunk.content, came);
  },
  "@openai/agents": async (how, signal, came) => {
    const { Agent, OpenAIProvider, Runner, setTracingDisabled } = await import("@openai/agents");
    setTracingDisabled(true);
    const modelProvider = new OpenAIProvider({ baseURL: `${url}/v1`, apiKey });
    const agent = new Agent({ name: "one", instructions: "Be kind.", model, modelSettings: { maxTokens: 100 } });
    const runner = new Runner({ modelProvider });
    if (how === "json") return (await runner.run(agent, "hi", { signal })).finalOutput;
    const result = await runner.run(agent, "hi", { signal, stream: true });
    const text = await gather(result.toTextStream(), (piece) => piece, came);
    await result.completed;
    if (signal.aborted) throw signal.reason;
    return text;
  },
  "@mistralai/mistralai": async (how, signal, came) => {
    const { Mistral } = await import("@mistralai/mistralai");
    const client = new Mistral({ apiKey, serverURL: url });
    const asked = { model, maxTokens: 100, messages };
    const options = { fetchOptions: { signal } };
    if (how === "json") return (await client.chat.complete(asked, options)).choices[0].message.content;
    // It calls fetch with a Request that nobody keeps: once that is collected, its signal aborts nothing, in any Node.
    const stream = await client.chat.stream(asked, options);
    return gather(stream, ({ data }) => data.choices[0]?.delta.content, came, signal);
  },
  "groq-sdk": async (how, signal, came) => {
    const { default: Groq } = await import("groq-sdk");
    const client = new Groq({ apiKey, baseURL: url });
    if (how === "json") {
      return (await client.chat.completions.create(request, { signal })).choices[0].message.content;
    }
    const options = { ...request, stream: true, stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create(options, { signal });
    const text = await gather(stream, (chunk) => chunk.choices[0]?.delta.content, came);
    if (signal.aborted) throw signal.reason;
    return text;
  },
  "cohere-ai": async (how, signal, came) => {
    const { CohereClientV2 } = await import("cohere-ai");
    const client = new CohereClientV2({ token: apiKey, environment: url });
    const asked = { model, maxTokens: 100, messages };
    const options = { abortSignal: signal };
    if (how === "json") return (await client.chat(asked, options)).message.content[0].text;
    return gather(await client.chatStream(asked, options), (event) => event.delta?.message?.content?.text, came);
  },
  ollama: async (how, signal, came) => {
    const { Ollama } = await import("ollama");
    const client = new Ollama({ host: url });
    const asked = { model, messages, options: { num_predict: 100 } };
    if (how === "json") return (await client.chat(asked)).message.content;
    const stream = await client.chat({ ...asked, stream: true });
    signal.addEventListener("abort", () => stream.abort());
    return gather(stream, ({ message }) => message.content, came);
  },
  llamaindex: async (how, signal, came) => {
    const { OpenAI } = await import("@llamaindex/openai");
    const llm = new OpenAI({ model, apiKey, baseURL: `${url}/v1`, maxTokens: 100 });
    if (how === "json") return (await llm.chat({ messages })).message.content;
    // It takes no signal.
    return gather(await llm.chat({ messages, stream: true }), ({ delta }) => delta, came, signal);
  },
};

const leaving = new AbortController();
const came = () => {
  if (mode === "abort") leaving.abort();
};
const statusOf = (error) => error.status ?? error.statusCode ?? error.status_code ?? error.cause?.status ?? null;
const told = (error) => ({ error: { name: error.name, status: statusOf(error), message: error.message } });
const client = clients[name.replace(" over TLS", "")];

Promise.all(
  JSON.parse(identities).map((identity) =>
    withBudget(identity, () => client(mode, leaving.signal, came)).then((text) => ({ text }), told),
  ),
).then((results) => process.stdout.write(`${JSON.stringify(results)}\n`));
