/**
 * Adds up what a model will read while a request body is walked: text, pictures, sound, and what identifies the work.
 */
import { condense } from "./fingerprint.ts";
import { bytesOf, isText, jsonWith, type Text } from "./long-text.ts";
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
    if (!isText(value)) return;
    this.textBytes += bytesOf(value);
    // Copied into one text with others, megabytes would cost more than all the rest.
    if (this.#listening) this.#said.push(condense(value));
  }

  /** Counts a value that the model reads as JSON: a tool, a schema, arguments. */
  json(value: unknown): void {
    if (value === undefined || value === null) return;
    if (isText(value)) {
      this.text(value);
      return;
    }
    // What is long is not decoded only to be written out again.
    let aside = 0;
    const said = jsonWith(value, (text) => {
      const shown = this.#listening ? condense(text) : "";
      aside += text.jsonBytes() - Buffer.byteLength(JSON.stringify(shown));
      return shown;
    });
    this.textBytes += Buffer.byteLength(said) + aside;
    if (this.#listening) this.#said.push(condense(said));
  }

  /** Counts a picture or document; `name` tells two apart without keeping them. */
  media(tokens: number, name: Text): void {
    this.mediaTokens += tokens;
    if (this.#listening) this.#said.push(`media ${name.length} ${name.slice(-48)}`);
  }

  audio(tokens: number, name: Text): void {
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

  /** The same where the text is wanted; else `walk` is run and what it met is only counted. */
  listenIf(wanted: boolean, walk: () => void): string {
    if (wanted) return this.listen(walk);
    walk();
    return "";
  }
}
