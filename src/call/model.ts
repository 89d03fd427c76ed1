/**
 * One name for one model: `openai/gpt-5-2025-08-07` and `gpt-5` count on the same meter.
 */

import { ROUTED } from "./price-names.ts";
import { plainName } from "./providers/bedrock-model.ts";

/** The value where a request names no model, or names it where it cannot be read. */
export const UNKNOWN_MODEL = "(unknown)";

/** Names come from requests and answers: enough of them for any real process, and no more. */
const MOST_KNOWN = 1_000;
const LONGEST_KNOWN = 200;
const known = new Map<string, string>();

/** The name without provider prefix, Bedrock's region, maker and version, date snapshot and fine-tuning marks. Asked several times a call, found out once. */
export function canonicalModel(name: string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  const canonical = canonicalOf(name);
  if (name.length > LONGEST_KNOWN) return canonical;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, canonical);
  return canonical;
}

/** Whom Hugging Face's router asks, and how it chooses (huggingface.co/docs/inference-providers). */
const ROUTES: ReadonlySet<string> = new Set([...ROUTED, "fastest", "cheapest", "preferred", "hf-inference"]);

function canonicalOf(name: string): string {
  const trimmed = name.trim();
  if (trimmed === "") return UNKNOWN_MODEL;
  const last = unrouted(trimmed.slice(trimmed.lastIndexOf("/") + 1), trimmed);
  const plain = undated(untuned(plainName(last) ?? last));
  return plain === "" ? trimmed : plain;
}

/** `deepseek-ai/DeepSeek-R1:together` is DeepSeek-R1 at one of Hugging Face's servers; `gpt-oss:20b` is Ollama's name for a size. */
function unrouted(name: string, whole: string): string {
  const colon = name.lastIndexOf(":");
  return colon > 0 && whole.includes("/") && ROUTES.has(name.slice(colon + 1)) ? name.slice(0, colon) : name;
}

/** `ft:gpt-4o-2024-08-06:org::id` is made from gpt-4o-2024-08-06. */
function untuned(name: string): string {
  return name.startsWith("ft:") ? (name.split(":")[1] ?? name) : name;
}

function undated(name: string): string {
  return name
    .replace(/[-@]20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$/, "")
    .replace(/^(claude-.+)-latest$/, "$1")
    .replace(/^(gpt-(?:3\.5|4)(?:-.*)?)-\d{4}$/, "$1");
}

/** The provider that a name like `anthropic/claude-sonnet-4.5` begins with, null where it has none. */
export function providerPrefix(name: string): string | null {
  const slash = name.indexOf("/");
  return slash > 0 ? name.slice(0, slash).toLowerCase() : null;
}
