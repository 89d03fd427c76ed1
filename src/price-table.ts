/**
 * Which edition of the price table is in use: what a disputed bill is checked against.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const TABLE = "@pydantic/genai-prices";

let known: string | null = null;

/** `genai-prices 0.1.8`; prices carry no date of their own, the version of the package stands for it. */
export function priceTable(): string {
  known ??= `genai-prices ${versionOf(createRequire(import.meta.url).resolve(TABLE)) ?? "of unknown version"}`;
  return known;
}

/** The version in the nearest package.json above a file; the package exports no such path. */
function versionOf(file: string): string | null {
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json"))) {
    if (dirname(folder) === folder) return null;
    folder = dirname(folder);
  }
  const parsed: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const found = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : null;
  return typeof found === "string" ? found : null;
}
