import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { type FakeProvider, fakeProvider } from "./fake-provider.ts";

let provider: FakeProvider | null = null;
const started = async (...args: Parameters<typeof fakeProvider>): Promise<FakeProvider> => {
  provider = await fakeProvider(...args);
  return provider;
};
afterEach(async () => {
  await provider?.close();
});

const openai = (at: FakeProvider) => new OpenAI({ baseURL: `${at.url}/v1`, apiKey: "key", maxRetries: 0 });
const question = { model: "gpt-5", messages: [{ role: "user" as const, content: "hi" }] };

describe("the fake provider speaks what the real SDKs read", () => {
  it("answers chat completions with the usage it was given, compressed or not", async () => {
    for (const encoding of [undefined, "gzip", "br"] as const) {
      const at = await started({ usage: { input: 7, output: 3, cacheRead: 2 }, ...(encoding && { encoding }) });
      const completion = await openai(at).chat.completions.create(question);
      expect(completion.choices[0]?.message.content).toBe("Hello from loopback.");
      expect(completion.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 3 });
      expect(completion.usage?.prompt_tokens_details?.cached_tokens).toBe(2);
      expect(at.requests[0]?.json).toMatchObject({ model: "gpt-5" });
      await at.close();
    }
  });

  it("streams chat completions, with usage only where it is asked for", async () => {
    const at = await started();
    for (const include_usage of [true, false]) {
      const stream = await openai(at).chat.completions.create({
        ...question,
        stream: true,
        ...(include_usage ? { stream_options: { include_usage } } : {}),
      });
      let text = "";
      let usages = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        usages += chunk.usage ? 1 : 0;
      }
      expect(text).toBe("Hello from loopback.");
      expect(usages).toBe(include_usage ? 1 : 0);
    }
  });

  it("answers and streams responses", async () => {
    const at = await started({ usage: { input: 9, output: 4, reasoning: 1 } });
    const whole = await openai(at).responses.create({ model: "gpt-5", input: "hi" });
    expect(whole.output_text).toBe("Hello from loopback.");
    const types: string[] = [];
    for await (const event of await openai(at).responses.create({ model: "gpt-5", input: "hi", stream: true })) {
      types.push(event.type);
      if (event.type === "response.completed") expect(event.response.usage?.output_tokens).toBe(4);
    }
    expect(types.at(-1)).toBe("response.completed");
  });

  it("answers embeddings", async () => {
    const at = await started();
    const { data } = await openai(at).embeddings.create({ model: "text-embedding-3-small", input: "hi" });
    expect(data[0]?.embedding[1]).toBeCloseTo(0.2);
  });

  it("answers and streams messages", async () => {
    const at = await started({ usage: { input: 20, output: 8, cacheRead: 5 } });
    const client = new Anthropic({ baseURL: at.url, apiKey: "key", maxRetries: 0 });
    const ask = { model: "claude-opus-4-5", max_tokens: 50, messages: [{ role: "user" as const, content: "hi" }] };
    const message = await client.messages.create(ask);
    expect(message.usage).toMatchObject({ input_tokens: 20, output_tokens: 8, cache_read_input_tokens: 5 });
    const final = await client.messages.stream(ask).finalMessage();
    expect(final.usage.output_tokens).toBe(8);
    expect(final.content).toMatchObject([{ type: "text", text: "Hello from loopback." }]);
  });

  it("refuses, hangs and cuts as it is told, and says how each answer ended", async () => {
    const at = await started({ error: { status: 503 } });
    await expect(openai(at).chat.completions.create(question)).rejects.toMatchObject({ status: 503 });
    at.behave({ reset: "head" });
    await expect(openai(at).chat.completions.create(question)).rejects.toThrow("Connection error");
    at.behave({ hang: { afterEvents: 2 } });
    const stream = await openai(at).chat.completions.create({ ...question, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await at.arrived(3);
    expect(await Promise.all(at.requests.map((request) => request.over))).toEqual(["sent", "cut", "cut"]);
  });
});
