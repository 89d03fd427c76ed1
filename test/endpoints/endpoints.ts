/**
 * Every endpoint that is known by name: what it does, how it is counted, and in whose words it answers. The tests check
 * each row, and docs/coverage.md is printed from the same rows.
 * @module
 */
import type { Operation, Spending } from "../../src/call/call.ts";
import type { Words } from "./words.ts";
import * as words from "./words.ts";

export interface Row {
  readonly provider: string;
  readonly method: string;
  readonly url: string;
  readonly operation: Operation;
  readonly spending: Spending;
  /** The model that the sample asks for, where the address names none. */
  readonly model?: string;
  /** Its answer; absent where nothing is read of it. */
  readonly words?: Words;
  /** What tells the bill where no one answer does, and the test that shows it. */
  readonly later?: { readonly by: string; readonly test: string };
  /** Tokens that the sample answer is billed for; 100 and 20 unless told. */
  readonly tokens?: readonly [input: number, output: number];
}

const rows: Row[] = [];

/** Adds rows of one provider; the sample answers of the rows that follow are for its `model`. */
function provider(name: string, origin: string, model: string) {
  const add = (method: string, path: string, operation: Operation, spending: Spending, more: Partial<Row> = {}) => {
    rows.push({ provider: name, method, url: origin + path, operation, spending, model, ...more });
  };
  return {
    metered: (path: string, operation: Operation, sample: Words, more: Partial<Row> = {}) =>
      add("POST", path, operation, "metered", { words: sample, ...more }),
    later: (method: string, path: string, operation: Operation, by: string, test: string) =>
      add(method, path, operation, "metered", { later: { by, test } }),
    unmetered: (path: string, operation: Operation = "other", method = "POST") =>
      add(method, path, operation, "unmetered"),
    free: (path: string, method = "POST") => add(method, path, "other", "free"),
  };
}

const READ = { tokens: [100, 0] } as const;

const openai = provider("openai", "https://api.openai.com/v1", "gpt-5");
openai.metered("/chat/completions", "chat", words.chat);
openai.metered("/responses", "responses", words.responses);
openai.metered("/responses/compact", "responses", words.responses);
openai.metered("/completions", "completions", words.completions, { model: "gpt-3.5-turbo-instruct" });
openai.metered("/embeddings", "embeddings", words.embeddings, { model: "text-embedding-3-small", ...READ });
openai.metered("/images/generations", "images", words.pictures, { model: "gpt-image-1" });
openai.metered("/images/edits", "images", words.pictures, { model: "gpt-image-1" });
openai.metered("/audio/speech", "speech", words.silent, { model: "tts-1" });
openai.metered("/audio/transcriptions", "transcription", words.chat, { model: "gpt-4o-transcribe" });
openai.later("POST", "/batches", "batch", "its end, once", "test/e2e/deferred.test.ts");
openai.later("GET", "/realtime?model=gpt-realtime", "realtime", "its frames, as it runs", "test/e2e/realtime.test.ts");
openai.unmetered("/fine_tuning/jobs");
openai.unmetered("/videos");
openai.unmetered("/vector_stores");
openai.free("/moderations");
openai.free("/responses/input_tokens");
openai.free("/files");
openai.free("/models", "GET");
openai.free("/responses/resp_1", "GET");

const azure = provider("azure", "https://resource.openai.azure.com/openai", "gpt-4.1");
azure.metered("/deployments/gpt-4.1/chat/completions?api-version=2025-04-01", "chat", words.chat);
azure.metered(
  "/deployments/text-embedding-3-small/embeddings?api-version=2025-04-01",
  "embeddings",
  words.embeddings,
  READ,
);
azure.metered("/v1/chat/completions", "chat", words.chat);
azure.metered("/v1/responses", "responses", words.responses);
azure.metered("/v1/embeddings", "embeddings", words.embeddings, { model: "text-embedding-3-small", ...READ });
azure.free("/v1/models", "GET");
const cognitive = provider("azure", "https://resource.cognitiveservices.azure.com/openai", "gpt-4.1");
cognitive.metered("/deployments/gpt-4.1/chat/completions?api-version=2025-04-01", "chat", words.chat);
const foundry = provider("azure", "https://resource.services.ai.azure.com", "gpt-4.1");
foundry.metered("/models/chat/completions?api-version=2024-05-01-preview", "chat", words.chat);
foundry.metered("/openai/v1/responses", "responses", words.responses);
foundry.metered("/anthropic/v1/messages", "messages", words.messages, { model: "claude-sonnet-5" });

const anthropic = provider("anthropic", "https://api.anthropic.com/v1", "claude-sonnet-5");
anthropic.metered("/messages", "messages", words.messages);
anthropic.later("POST", "/messages/batches", "batch", "its end, once", "test/e2e/deferred.test.ts");
anthropic.free("/messages/count_tokens");
anthropic.free("/files");
anthropic.free("/models", "GET");

const google = provider("google", "https://generativelanguage.googleapis.com/v1beta", "gemini-2.5-flash");
google.metered("/models/gemini-2.5-flash:generateContent", "generate", { ...words.gemini, streamed: null });
google.metered("/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "generate", { ...words.gemini, whole: null });
google.metered("/models/gemini-2.5-flash:streamGenerateContent", "generate", words.geminiList);
google.metered("/models/gemini-embedding-001:embedContent", "embeddings", words.silent);
google.metered("/openai/chat/completions", "chat", words.chat);
google.free("/models/gemini-2.5-flash:countTokens");
google.free("/models", "GET");

const at = "/v1/projects/p/locations/us-east5/publishers";
const vertex = provider("vertex", "https://us-east5-aiplatform.googleapis.com", "gemini-2.5-flash");
vertex.metered(`${at}/google/models/gemini-2.5-flash:generateContent`, "generate", { ...words.gemini, streamed: null });
vertex.metered(`${at}/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse`, "generate", {
  ...words.gemini,
  whole: null,
});
vertex.metered(`${at}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`, "messages", {
  ...words.messages,
  streamed: null,
});
vertex.metered(`${at}/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`, "messages", {
  ...words.messages,
  whole: null,
});
vertex.free(`${at}/google/models/gemini-2.5-flash:countTokens`);

const nova = "/model/us.amazon.nova-micro-v1%3A0";
const claude = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const bedrock = provider("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com", "");
bedrock.metered(`${nova}/converse`, "converse", words.converse);
bedrock.metered(`${nova}/converse-stream`, "converse", words.converseStream);
bedrock.metered(`${claude}/invoke`, "invoke", { ...words.messages, streamed: null });
bedrock.free(`${claude}/count-tokens`);

const mistral = provider("mistral", "https://api.mistral.ai/v1", "mistral-medium-latest");
mistral.metered("/chat/completions", "chat", words.chat);
mistral.metered("/fim/completions", "chat", words.chat, { model: "codestral-latest" });
mistral.metered("/agents/completions", "chat", words.chat);
mistral.metered("/conversations", "chat", words.chat);
mistral.metered("/embeddings", "embeddings", words.embeddings, { model: "mistral-embed", ...READ });
mistral.unmetered("/ocr");
mistral.unmetered("/moderations");
mistral.free("/agents");
mistral.free("/models", "GET");

const cohere = provider("cohere", "https://api.cohere.com", "command-r7b-12-2024");
cohere.metered("/v2/chat", "chat", words.cohereChat);
cohere.metered("/v2/embed", "embeddings", words.cohereEmbed, { model: "embed-v4.0", ...READ });
cohere.metered("/v2/rerank", "rerank", words.cohereRank, { model: "rerank-v3.5", tokens: [0, 0] });
cohere.metered("/v1/chat", "chat", words.cohereChat);
cohere.metered("/compatibility/v1/chat/completions", "chat", words.chat);
cohere.unmetered("/v1/embed-jobs");
cohere.free("/v1/tokenize");
cohere.free("/v1/models", "GET");

const groq = provider("groq", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile");
groq.metered("/chat/completions", "chat", words.chat);
groq.metered("/responses", "responses", words.responses);
groq.free("/models", "GET");

const deepseek = provider("deepseek", "https://api.deepseek.com", "deepseek-reasoner");
deepseek.metered("/chat/completions", "chat", words.chat);
deepseek.metered("/responses", "responses", words.responses);
deepseek.metered("/beta/completions", "completions", words.completions);
deepseek.metered("/anthropic/v1/messages", "messages", words.messages);
deepseek.free("/user/balance", "GET");

const xai = provider("xai", "https://api.x.ai/v1", "grok-4.3");
xai.metered("/chat/completions", "chat", words.chat);
xai.metered("/responses", "responses", words.responses);
xai.metered("/messages", "messages", words.messages);
xai.free("/models", "GET");

const openrouter = provider("openrouter", "https://openrouter.ai/api/v1", "openai/gpt-5");
openrouter.metered("/chat/completions", "chat", words.priced);
openrouter.metered("/responses", "responses", words.responses);
openrouter.metered("/messages", "messages", words.messages, { model: "anthropic/claude-sonnet-4.5" });
openrouter.free("/keys");
openrouter.free("/credits", "GET");

const together = provider("together", "https://api.together.xyz/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo");
together.metered("/chat/completions", "chat", words.chat);
together.metered("/completions", "completions", words.completions);
together.metered("/rerank", "rerank", words.total, { model: "mixedbread-ai/Mxbai-Rerank-Large-V2", ...READ });
together.unmetered("/fine-tunes");

const fireworks = provider(
  "fireworks",
  "https://api.fireworks.ai/inference/v1",
  "accounts/fireworks/models/gpt-oss-120b",
);
fireworks.metered("/chat/completions", "chat", words.chat);
fireworks.metered("/completions", "completions", words.completions);

const perplexity = provider("perplexity", "https://api.perplexity.ai", "sonar-pro");
perplexity.metered("/chat/completions", "chat", words.chat);
perplexity.unmetered("/search");

const cerebras = provider("cerebras", "https://api.cerebras.ai/v1", "gpt-oss-120b");
cerebras.metered("/chat/completions", "chat", words.chat);
cerebras.metered("/completions", "completions", words.completions);

const moonshot = provider("moonshot", "https://api.moonshot.ai", "kimi-k2.6");
moonshot.metered("/v1/chat/completions", "chat", words.chat);
moonshot.metered("/anthropic/v1/messages", "messages", words.messages);
moonshot.free("/v1/tokenizers/estimate-token-count");

const huggingface = provider("huggingface", "https://router.huggingface.co", "deepseek-ai/DeepSeek-R1");
huggingface.metered("/v1/chat/completions", "chat", words.chat);
huggingface.metered("/together/v1/chat/completions", "chat", words.chat);

const voyage = provider("voyage", "https://api.voyageai.com/v1", "voyage-3.5");
voyage.metered("/embeddings", "embeddings", words.total, READ);
voyage.metered("/multimodalembeddings", "embeddings", words.total, READ);
voyage.metered("/contextualizedembeddings", "embeddings", words.total, READ);
voyage.metered("/rerank", "rerank", words.total, READ);

const zai = provider("zai", "https://api.z.ai/api", "GLM-5.2");
zai.metered("/paas/v4/chat/completions", "chat", words.chat);
zai.metered("/coding/paas/v4/chat/completions", "chat", words.chat);
zai.metered("/anthropic/v1/messages", "messages", words.messages);

const ollama = provider("ollama", "http://localhost:11434", "llama3.1:8b");
ollama.metered("/api/chat", "generate", words.ollama);
ollama.metered("/api/generate", "generate", words.ollama);
ollama.metered("/api/embed", "embeddings", words.ollamaEmbed, READ);
ollama.metered("/v1/chat/completions", "chat", words.chat);
ollama.metered("/v1/messages", "messages", words.messages);
ollama.free("/api/pull");
ollama.free("/api/tags", "GET");

const local = provider("local", "http://localhost:1234/v1", "qwen3-4b");
local.metered("/chat/completions", "chat", words.chat);
local.metered("/responses", "responses", words.responses);
local.metered("/embeddings", "embeddings", words.embeddings, READ);

const vercel = provider("vercel", "https://ai-gateway.vercel.sh", "openai/gpt-5");
vercel.metered("/v1/chat/completions", "chat", words.chat);
vercel.metered("/v1/messages", "messages", words.messages, { model: "anthropic/claude-sonnet-4.5" });
vercel.metered("/v3/ai/language-model", "invoke", words.gateway);
vercel.unmetered("/v3/ai/image-model");
vercel.free("/v1/models", "GET");

const upstream = "https://gateway.ai.cloudflare.com/v1/account/gateway";
const cloudflare = provider("cloudflare", upstream, "openai/gpt-5");
cloudflare.metered("/compat/chat/completions", "chat", words.chat);
cloudflare.metered("/workers-ai/@cf/meta/llama-3.1-8b-instruct", "invoke", words.workers);
provider("openai", upstream, "gpt-5").metered("/openai/responses", "responses", words.responses);
provider("anthropic", upstream, "claude-sonnet-5").metered("/anthropic/v1/messages", "messages", words.messages);
provider("google", upstream, "").metered("/google-ai-studio/v1/models/gemini-2.5-flash:generateContent", "generate", {
  ...words.gemini,
  streamed: null,
});
provider("bedrock", upstream, "").metered(
  `/aws-bedrock/bedrock-runtime/us-east-1${nova}/converse`,
  "converse",
  words.converse,
);
provider("azure", upstream, "gpt-4.1").metered("/azure-openai/resource/gpt-4.1/chat/completions", "chat", words.chat);
provider("groq", upstream, "llama-3.3-70b-versatile").metered("/groq/chat/completions", "chat", words.chat);
const workers = provider(
  "cloudflare",
  "https://api.cloudflare.com/client/v4/accounts/account",
  "@cf/meta/llama-3.1-8b-instruct",
);
workers.metered("/ai/run/@cf/meta/llama-3.1-8b-instruct", "invoke", words.workers);
workers.metered("/ai/v1/chat/completions", "chat", words.chat);
workers.free("/dns_records");

const portkey = provider("portkey", "https://api.portkey.ai/v1", "openai/gpt-5");
portkey.metered("/chat/completions", "chat", words.chat);
portkey.metered("/messages", "messages", words.messages, { model: "anthropic/claude-sonnet-5" });

/** By shape alone: any host whose request looks like a call. */
const anyone = provider("openai", "https://llm.example", "gpt-5");
anyone.metered("/any/prefix/chat/completions", "chat", words.chat);
anyone.metered("/v1/completions", "completions", words.completions);
anyone.metered("/v1/responses", "responses", words.responses);
anyone.metered("/v1/embeddings", "embeddings", words.embeddings, { model: "text-embedding-3-small", ...READ });
anyone.metered("/v1/images/generations", "images", words.pictures, { model: "gpt-image-1" });
anyone.metered("/v1/audio/speech", "speech", words.silent, { model: "tts-1" });
provider("anthropic", "https://llm.example", "claude-sonnet-5").metered("/v1/messages", "messages", words.messages);
provider("cohere", "https://llm.example", "rerank-v3.5").metered("/v1/rerank", "rerank", words.cohereRank, {
  tokens: [0, 0],
});
provider("google", "https://llm.example", "").metered("/v1beta/models/gemini-2.5-flash:generateContent", "generate", {
  ...words.gemini,
  streamed: null,
});
provider("bedrock", "https://llm.example", "").metered(`${nova}/converse`, "converse", words.converse);

export const endpoints: readonly Row[] = rows;
