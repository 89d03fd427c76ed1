/**
 * Policy files as text: a file, a folder read one level deep, or a list of both.
 * @module
 */
import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";

/** A policy file: its name as shown to people (relative to the root, with `/`), and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Reads the policy files in name order; none where nobody asked for any and none is there. */
export function readPolicies(config: Pick<Config, "root" | "policy">): readonly Source[] {
  const sources: Source[] = [];
  const seen = new Set<string>();
  for (const path of config.policy.paths) {
    const found = filesAt(path);
    if (found === null && config.policy.asked) throw new ConfigError(`${path} does not exist.`);
    if (found?.length === 0 && config.policy.asked) {
      throw new ConfigError(`${path} holds no *.budget file. Create one with \`npx budget-guard init\`.`);
    }
    for (const file of found ?? []) {
      if (seen.has(file)) continue;
      seen.add(file);
      sources.push(Object.freeze({ file: shown(config.root, file), text: textOf(file) }));
    }
  }
  return Object.freeze(sources);
}

/** The text without a byte order mark. What cannot be read ends the start: a rule that is not read is a rule less. */
function textOf(file: string): string {
  const bytes = reading(file, () => readFileSync(file));
  if (!isUtf8(bytes)) throw new ConfigError(`${file} is not UTF-8 text; save it as UTF-8.`);
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function filesAt(path: string): readonly string[] | null {
  const stat = reading(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stat === undefined) return null;
  if (!stat.isDirectory()) return [path];
  return reading(path, () => readdirSync(path))
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .sort()
    .map((name) => join(path, name));
}

function shown(root: string, file: string): string {
  const path = relative(root, file);
  return (path.startsWith("..") ? file : path).split(sep).join("/");
}
