/**
 * The version of this package, read when someone asks.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./paths.ts";

let known: string | null = null;

/** `1.2.3`. */
export function version(): string {
  if (known === null) {
    const parsed: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
    const found = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : null;
    known = typeof found === "string" ? found : "0.0.0";
  }
  return known;
}
