/**
 * Is this request a call to a provider? Asked of every request of the process, so the common answer, no, costs a map
 * lookup and a look at the end of the path: nothing is allocated and no pattern is run.
 */
import { ConfigError } from "../errors.ts";
import type { Operation, Spending } from "./call.ts";
import { type HostAddress, splitAddress } from "./host-address.ts";
import type { Provider } from "./provider.ts";
import { providerNamed, providers } from "./providers/all.ts";
import { anthropic } from "./providers/anthropic.ts";
import { bedrock } from "./providers/bedrock.ts";
import { modelInPath, tellsModel } from "./providers/bedrock-model.ts";
import { cohere } from "./providers/cohere.ts";
import { google } from "./providers/google.ts";
import { openai } from "./providers/openai.ts";
import { sessionEndpoint } from "./providers/realtime.ts";
import { vertex } from "./providers/vertex.ts";

/** A request to a provider, or one that has the shape of it. */
export interface Recognised {
  readonly provider: Provider;
  readonly operation: Operation;
  readonly spending: Spending;
  /** False where only the path speaks for it, on a host that nobody named: the body must have the shape too. */
  readonly certain: boolean;
}

/** Answers for lower-case hostnames without port, in well under a microsecond for a host that is no provider. */
export type Recogniser = (hostname: string, port: number, method: string, path: string) => Recognised | null;

export interface RecogniserOptions {
  /** `host` or `host:port`, lower case → provider name; well-known hosts need not be named. */
  readonly hosts: ReadonlyMap<string, string>;
}

/** Builds the recogniser once; an unknown provider name is a ConfigError. */
export function recogniser(options: RecogniserOptions): Recogniser {
  const anyPort = new Map<string, Provider>();
  const byPort = new Map<string, Map<number, Provider>>();
  const patterns: { readonly provider: Provider; readonly owns: (hostname: string) => boolean }[] = [];
  /** Ports that belong to a provider on any host: Ollama's. */
  const anyHost = new Map<number, Provider>();
  const add = ({ hostname, port }: HostAddress, provider: Provider): void => {
    if (port === null) anyPort.set(hostname, provider);
    else if (hostname === "*") anyHost.set(port, provider);
    else byPort.set(hostname, (byPort.get(hostname) ?? new Map()).set(port, provider));
  };
  for (const provider of providers) {
    for (const host of provider.hosts) {
      if (host.includes("*") && !host.startsWith("*:")) patterns.push({ provider, owns: hostPattern(host) });
      else add(splitAddress(host), provider);
    }
  }
  for (const [address, name] of options.hosts) {
    const provider = providerNamed(name);
    if (provider === null) throw unknownProvider(address, name);
    add(splitAddress(address), provider);
  }
  /** Hosts that no list names, and whose pattern they fit: a process speaks with few, so each is found out once. */
  const fitting = new Map<string, Provider | null>();
  const byPattern = (hostname: string): Provider | null => {
    const known = fitting.get(hostname);
    if (known !== undefined) return known;
    const found = patterns.find(({ owns }) => owns(hostname))?.provider ?? null;
    if (fitting.size >= MOST_HOSTS) fitting.clear();
    fitting.set(hostname, found);
    return found;
  };
  const find = (hostname: string, port: number): Provider | null =>
    byPort.get(hostname)?.get(port) ?? anyPort.get(hostname) ?? anyHost.get(port) ?? byPattern(hostname);

  return function recognise(hostname, port, method, path) {
    // A trailing dot is the same host to DNS, and brackets around an IPv6 address are only its way into a URL.
    const dotless = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
    const host = dotless.startsWith("[") ? dotless.slice(1, -1) : dotless;
    const found = find(host, port);
    if (found === null) return method === "POST" ? byShape(path) : method === "GET" ? bySession(path) : null;
    // A gateway's upstream does the work, where the address names one.
    const upstream = found.upstream?.(path) ?? null;
    const provider = (upstream === null ? null : providerNamed(upstream.provider)) ?? found.at?.(host) ?? found;
    const endpoint = sessionEndpoint(method, path) ?? provider.endpoint(method, upstream?.path ?? path);
    // Gateways and compatible endpoints speak more than one dialect: api.anthropic.com also answers /v1/chat/completions.
    const other = endpoint.spending === "unmetered" && method === "POST" ? byShape(path) : null;
    return Object.freeze(other === null ? { provider, ...endpoint, certain: true } : { ...other, certain: true });
  };
}

/** Sessions over WebSocket on hosts that nobody named; all other GETs leave here after one or two comparisons. */
function bySession(path: string): Recognised | null {
  // Behind two slashes where Google's SDK is given a base address.
  if (path.includes("/ws/google.")) return shaped(path.includes("aiplatform") ? "vertex" : "google", path);
  return path.includes("/realtime?") && /[?&](model|deployment)=/.test(path) ? shaped("openai", path) : null;
}

function shaped(name: string, path: string): Recognised | null {
  const provider = providerNamed(name);
  const endpoint = sessionEndpoint("GET", path);
  return provider === null || endpoint === null ? null : Object.freeze({ provider, ...endpoint, certain: true });
}

/** Names that are remembered; a crawler must not fill the memory. */
const MOST_HOSTS = 1_000;

/** Whether a host fits `bedrock-runtime.*.amazonaws.com`; a star stands for at least one letter, digit, dash or dot. */
function hostPattern(pattern: string): (hostname: string) => boolean {
  const escaped = pattern.replace(/[.]/g, "\\.").replace(/\*/g, "[a-z0-9.-]+");
  const form = new RegExp(`^${escaped}$`);
  // Most hosts end otherwise, and a crawler meets many.
  const end = pattern.slice(pattern.lastIndexOf("*") + 1);
  return (hostname) => hostname.endsWith(end) && form.test(hostname);
}

/** All paths of LLM calls end in a plural, or in a verb of Google's or Amazon's: most requests leave here soon. */
function byShape(path: string): Recognised | null {
  const query = path.indexOf("?");
  let end = query < 0 ? path.length : query;
  if (path.charCodeAt(end - 1) === SLASH) end -= 1;
  const last = path.charCodeAt(end - 1);
  if (last === SMALL_T) {
    if (path.endsWith("/responses/compact", end)) return RESPONSES;
    return path.endsWith("/chat", end) ? byWord(path, end - "/chat".length) : byVerb(path, end);
  }
  if (last === SMALL_K) return path.endsWith("/rerank", end) ? RERANK : null;
  if (last === SMALL_H) return path.endsWith("/audio/speech", end) ? SPEECH : null;
  if (last === SMALL_E || last === SMALL_M) return byModel(path);
  if (last !== SMALL_S) return null;
  if (path.endsWith(":batchEmbedContents", end)) return byVerb(path, end);
  if (path.endsWith("/completions", end)) return path.endsWith("/chat/completions", end) ? CHAT : COMPLETIONS;
  if (path.endsWith("/embeddings", end)) return EMBEDDINGS;
  if (path.endsWith("/responses", end)) return RESPONSES;
  if (path.endsWith("/images/generations", end) || path.endsWith("/images/edits", end)) return IMAGES;
  if (path.endsWith("/audio/transcriptions", end) || path.endsWith("/audio/translations", end)) return HEARING;
  if (path.endsWith("/messages", end)) return hasVersion(path, end - "/messages".length) ? MESSAGES : null;
  return null;
}

/** Amazon's addresses name a model and what it is to do: `/model/amazon.nova-lite-v1:0/converse`. */
function byModel(path: string): Recognised | null {
  const asked = path.includes("/model/") ? modelInPath(path) : null;
  if (asked === null) return null;
  const endpoint = bedrock.endpoint("POST", path);
  // Others have models to invoke too, but do not name them like that.
  const isCall = endpoint.spending === "metered" && (endpoint.operation === "converse" || tellsModel(asked));
  return isCall ? Object.freeze({ provider: bedrock, ...endpoint, certain: true }) : null;
}

/** Others call their chat no more than that (`/v1/chat`), and so do applications of their own: it must have a version. */
const byWord = (path: string, end: number): Recognised | null => (hasVersion(path, end) && end > 0 ? ASKED : null);

/** Google's addresses end in what the model is to do: `/models/gemini-2.5-flash:generateContent`. */
function byVerb(path: string, end: number): Recognised | null {
  const colon = path.lastIndexOf(":", end - 1);
  if (colon < 0 || !GOOGLE_VERBS.has(path.slice(colon + 1, end))) return null;
  const provider = /\/(publishers|projects)\//.test(path) ? vertex : google;
  const endpoint = provider.endpoint("POST", path);
  return endpoint.spending === "metered" ? Object.freeze({ provider, ...endpoint, certain: true }) : null;
}

const GOOGLE_VERBS = new Set([
  "generateContent",
  "streamGenerateContent",
  "embedContent",
  "batchEmbedContents",
  "predict",
  "rawPredict",
  "streamRawPredict",
]);

/** `/messages` is a common word: it must stand alone or after a version, as in `/v1/messages`. */
function hasVersion(path: string, end: number): boolean {
  if (end <= 0) return true;
  const start = path.lastIndexOf("/", end - 1) + 1;
  const digit = path.charCodeAt(start + 1);
  return end - start >= 2 && path.charCodeAt(start) === SMALL_V && digit >= 0x30 && digit <= 0x39;
}

const SLASH = 0x2f;
const SMALL_E = 0x65;
const SMALL_H = 0x68;
const SMALL_K = 0x6b;
const SMALL_M = 0x6d;
const SMALL_S = 0x73;
const SMALL_T = 0x74;
const SMALL_V = 0x76;

const shape = (provider: Provider, operation: Operation, certain: boolean): Recognised =>
  Object.freeze({ provider, operation, spending: "metered", certain });

// Nothing but an LLM answers at /chat/completions; the other words are used elsewhere too.
const CHAT = shape(openai, "chat", true);
const ASKED = shape(openai, "chat", false);
const COMPLETIONS = shape(openai, "completions", false);
const EMBEDDINGS = shape(openai, "embeddings", false);
const RESPONSES = shape(openai, "responses", false);
const MESSAGES = shape(anthropic, "messages", false);
const IMAGES = shape(openai, "images", false);
const SPEECH = shape(openai, "speech", false);
const HEARING = shape(openai, "transcription", false);
// Rankings are asked for in Cohere's words by all who offer them.
const RERANK = shape(cohere, "rerank", false);

/** The error for a provider name that nobody knows. */
function unknownProvider(address: string, name: string): ConfigError {
  const known = providers.map((provider) => provider.name).join(", ");
  return new ConfigError(`"${name}" for host ${address} is no known provider; write one of ${known}.`);
}
