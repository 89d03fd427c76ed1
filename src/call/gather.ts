/**
 * Adds up what a model will read while a request body is walked: text, pictures, sound, and what identifies the work.
 */
import { condense } from "./fingerprint.ts";
import type { CacheWrite } from "./provider.ts";

/** Collects the sizes of one request. */
export class Gathering {
  textBytes = 0;
  mediaTokens = 0;
  audioTokens = 0;
  cacheWrite: CacheWrite = "none";
  readonly #said: string[] = [];
  #listening = false;

  /** Counts text that the model reads. */
  text(value: unknown): void {
    if (typeof value !== "string") return;
    this.textBytes += Buffer.byteLength(value);
    // Copied into one text with others, megabytes would cost more than all the rest.
    if (this.#listening) this.#said.push(condense(value));
  }

  /** Counts a value that the model reads as JSON: a tool, a schema, arguments. */
  json(value: unknown): void {
    if (value === undefined || value === null) return;
    this.text(typeof value === "string" ? value : JSON.stringify(value));
  }

  /** Counts a picture or document; `name` tells two apart without keeping them. */
  media(tokens: number, name: string): void {
    this.mediaTokens += tokens;
    if (this.#listening) this.#said.push(`media ${name.length} ${name.slice(-48)}`);
  }

  audio(tokens: number, name: string): void {
    this.audioTokens += tokens;
    if (this.#listening) this.#said.push(`audio ${name.length} ${name.slice(-48)}`);
  }

  /** Notes Anthropic's `cache_control` where a block carries one; the longer lifetime wins. */
  caches(control: unknown): void {
    if (typeof control !== "object" || control === null) return;
    const hour = "ttl" in control && control.ttl === "1h";
    if (hour) this.cacheWrite = "hour";
    else if (this.cacheWrite === "none") this.cacheWrite = "minutes";
  }

  /** Runs `walk` and returns the text it met, long ones condensed. */
  listen(walk: () => void): string {
    this.#listening = true;
    walk();
    this.#listening = false;
    return this.#said.splice(0).join("\n");
  }
}
