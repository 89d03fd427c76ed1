// The real client of Amazon Bedrock. Arguments: `h1` or `h2`, and what to do. Prints one line of JSON: the answer as the
// caller gets it, or the error as a developer sees it. Address and credentials come from the variables that AWS names.
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { withBudget } from "budget-guard";

const [protocol, name, modelId = "us.amazon.nova-micro-v1:0"] = process.argv.slice(2);
const client = new BedrockRuntimeClient(protocol === "h1" ? { requestHandler: new NodeHttpHandler() } : {});
const messages = [{ role: "user", content: [{ text: "abc".repeat(100) }] }];
const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const body = JSON.stringify({
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }],
});

const clients = {
  converse: async () => {
    const { output, usage, stopReason, $metadata } = await client.send(new ConverseCommand({ modelId, messages }));
    return { text: output.message.content[0].text, usage, stopReason, attempts: $metadata.attempts };
  },
  "converse of two": async () => {
    const identities = ["one", "two"].map((tenant) => ({ tenant, run: `job-of-${tenant}`, feature: "talk" }));
    const answers = await Promise.all(identities.map((identity) => withBudget(identity, clients.converse)));
    return answers.map(({ text }) => text);
  },
  "converse stream": async () => {
    const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages }));
    const events = [];
    for await (const event of stream) events.push(event);
    return events;
  },
  "converse abort": async () => {
    const leaving = new AbortController();
    const asked = client.send(new ConverseStreamCommand({ modelId, messages }), { abortSignal: leaving.signal });
    const { stream } = await asked;
    let text = "";
    let error = null;
    try {
      for await (const event of stream) {
        text += event.contentBlockDelta?.delta.text ?? "";
        if (text.includes("stop here")) leaving.abort();
      }
    } catch (caught) {
      error = caught.name;
    }
    return { text, error };
  },
  invoke: async () => {
    const answer = await client.send(
      new InvokeModelCommand({ modelId: claude, body, contentType: "application/json" }),
    );
    return Buffer.from(answer.body).toString();
  },
  "invoke stream": async () => {
    const answer = await client.send(
      new InvokeModelWithResponseStreamCommand({ modelId: claude, body, contentType: "application/json" }),
    );
    const events = [];
    for await (const { chunk } of answer.body) events.push(Buffer.from(chunk.bytes).toString());
    return events;
  },
  "count tokens": async () =>
    (await client.send(new CountTokensCommand({ modelId, input: { converse: { messages } } }))).inputTokens,
};

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
clients[name]()
  .then(
    (answer) => print({ answer }),
    (error) =>
      print({
        error: {
          name: error.name,
          message: error.message,
          status: error.$metadata?.httpStatusCode ?? null,
          attempts: error.$metadata?.attempts ?? null,
        },
      }),
  )
  .finally(() => client.destroy());
