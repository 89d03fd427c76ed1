import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where the recorded traffic lies, which is no part of the project. */
export const folder = process.env.BUDGET_GUARD_GOLDEN ?? join(repository, "..", "shared", "golden");

export const isPresent = existsSync(join(folder, "exchanges"));

export interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly request: { readonly contentType: string | null; readonly body: Body };
  readonly response: { readonly status: number; readonly contentType: string | null; readonly body: Body };
}

type Body = string | { readonly base64: string } | null;

/** A recorded body as bytes. */
export function bytes(body: Body): Buffer {
  if (body === null) return Buffer.alloc(0);
  return typeof body === "string" ? Buffer.from(body) : Buffer.from(body.base64, "base64");
}

/** All recorded exchanges with a provider, empty where there are none here. */
export function exchanges(provider: string): readonly Exchange[] {
  const file = join(folder, "exchanges", `${provider}.jsonl`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Exchange);
}

export interface RecordedBody {
  readonly name: string;
  /** As it would come over the wire: JSON, or an event stream. */
  readonly body: string;
  readonly streamed: boolean;
}

/** All recorded bodies of a package, empty where there are none here. */
export function bodies(name: string): readonly RecordedBody[] {
  const path = join(folder, "bodies", name);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .map((file): RecordedBody => {
      const text = readFileSync(join(path, file), "utf8");
      const streamed = file.endsWith(".chunks.txt");
      const lines = text.split("\n").filter((line) => line.trim() !== "");
      return { name: file, streamed, body: streamed ? lines.map((line) => `data: ${line}\n\n`).join("") : text };
    });
}

/** The parsed events of a stream. */
export function events(body: string): readonly Record<string, unknown>[] {
  return body.split(/\r?\n/).flatMap((line) => {
    if (!line.startsWith("data:") || line.includes("[DONE]")) return [];
    return [JSON.parse(line.slice(5)) as Record<string, unknown>];
  });
}
