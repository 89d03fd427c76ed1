/**
 * The version of this package, read when someone asks.
 * @module
 */
import { readFileSync } from "node:fs";

let known: string | null = null;

/** `1.2.3`, from the package.json one folder up: the same place from src and from dist. */
export function version(): string {
  if (known === null) {
    const parsed: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const found = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : null;
    known = typeof found === "string" ? found : "0.0.0";
  }
  return known;
}
