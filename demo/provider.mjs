// A provider on loopback that speaks OpenAI's wire format, bills like it, and keeps the journal that the demo prints.
// It bills what it answers: a token is four bytes of text, at the list price of gpt-5.5. Errors are not billed.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

/** Dollars per million tokens (openai.com/api/pricing). */
export const price = { model: "gpt-5.5", input: 5, output: 30 };

/** One request in ten meets an overloaded server, as on a busy day. The SDK retries it by itself. */
const OVERLOADED_EVERY = 10;

/** Starts it on a free port; `journal` grows while it runs. */
export async function startProvider() {
  let journal = fresh();
  let seen = new Set();
  let onCall = () => {};
  let most = 0;
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString();
    // The plug is pulled: who is about to be killed gets no answer to what it still sends.
    if (journal.calls >= most) return;
    journal.calls++;
    // What was sent before, byte for byte, is a retry, whoever sends it: the SDK after an error, or the pipeline.
    if (seen.has(text)) journal.retries++;
    seen.add(text);
    if (journal.calls % OVERLOADED_EVERY === 0) {
      const error = { message: "The server is overloaded.", type: "server_error", param: null, code: null };
      json(response, 503, { error }, { "retry-after-ms": "1" });
    } else {
      const answer = completion(JSON.parse(text), journal.calls);
      journal.dollars +=
        (answer.usage.prompt_tokens * price.input + answer.usage.completion_tokens * price.output) / 1e6;
      json(response, 200, answer);
    }
    onCall(journal);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    /** Empties the journal; `told` hears of each call from now on, `bound` calls at most. */
    begin(told, bound) {
      most = bound;
      journal = fresh();
      seen = new Set();
      onCall = told;
    },
    journal: () => ({ ...journal }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const fresh = () => ({ calls: 0, retries: 0, dollars: 0 });

function json(response, status, body, headers = {}) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers });
  response.end(bytes);
}

function completion(request, number) {
  const texts = request.messages.map((message) => message.content);
  const content = reply(/the (\w+) of/.exec(texts[0])?.[1], texts.at(-1));
  const usage = {
    prompt_tokens: Math.ceil(Buffer.byteLength(texts.join("")) / 4),
    completion_tokens: Math.ceil(Buffer.byteLength(content) / 4),
  };
  return {
    id: `chatcmpl-${number}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    choices: [
      { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
    service_tier: "default",
  };
}

/** What each agent says. An error where a page should be confuses everyone after it, as it did in the incident. */
function reply(agent, user) {
  const confused = user.includes('"error":') || user.includes('"partial":');
  const filling = "The evidence is weighed line by line. ".repeat(312);
  if (agent === "Critic") {
    return JSON.stringify(
      confused
        ? { approved: false, question: "Could you send a clearer version?", notes: filling }
        : { approved: true, notes: filling },
    );
  }
  if (confused) return `I was given an error object instead of a page, so I cannot be sure. ${filling}`;
  return JSON.stringify({ agent, to: createHash("sha256").update(user).digest("hex"), text: filling });
}
