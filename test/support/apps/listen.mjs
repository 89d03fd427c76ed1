// Streams one chat completion and says "got N TEXT" for each piece at the moment it arrives, then all chunks as JSON.
// Arguments: provider URL, way (openai | fetch).
import OpenAI from "openai";

const [url, way] = process.argv.slice(2);
const request = {
  model: "fixed-model",
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }],
  stream: true,
};
const chunks = [];
const got = (text) => process.stdout.write(`got ${text}\n`);

async function main() {
  if (way === "openai") {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "a-key" });
    for await (const chunk of await client.chat.completions.create(request)) {
      chunks.push(chunk);
      got(chunk.choices[0]?.delta.content ?? "");
    }
  } else {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      const text = decoder.decode(bytes, { stream: true });
      chunks.push(text);
      for (const [, content] of text.matchAll(/"content":"([^"]*)"/g)) got(content);
    }
  }
  process.stdout.write(`${JSON.stringify(chunks)}\n`);
}

void main();
