import { closeSync, mkdirSync, openSync, promises, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { AuditLine, AuditSettlement } from "./audit-line.ts";
import { onEnding } from "./ending.ts";
import type { Log } from "./log.ts";

/** Lines that wait for the disk; beyond it new ones are lost, which is said. */
const MOST_WAITING = 10_000;

/**
 * The audit log of this process, appended to a file that others append to as well: one write a line, each at the end of
 * the file as it is then (O_APPEND), so that lines never run into each other. No call waits for it. The file is opened
 * for every batch, so that it may be moved away at any time.
 *
 * A line whose write is under way when the process exits is written again: it may stand twice, under one attempt id.
 */
export class AuditFile {
  readonly #path: string;
  readonly #log: Log;
  /** In order, until the disk has them. */
  readonly #waiting: string[] = [];
  #draining: Promise<void> | null = null;
  /** The last write left half a line, which the next must not run into. */
  #torn = false;
  #stopListening: (() => void) | null = null;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Takes one line; it is on disk soon, at the latest when the process ends. */
  add(line: AuditLine | AuditSettlement): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#log.once("audit.full", "error", `${this.#path} cannot keep up: lines of the audit log are lost.`);
      return;
    }
    this.#waiting.push(`${JSON.stringify(line)}\n`);
    this.#stopListening ??= onEnding({
      atRest() {},
      onSignal: () => this.flush(),
      atExit: () => this.#writeRest(),
    });
    // After what the caller waits for.
    this.#draining ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#drain());
  }

  /** Resolves when what was added is on disk, or could not be put there. Never rejects. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writeBatch();
      this.#stopListening?.();
      this.#stopListening = null;
    } catch (error) {
      // What waits is tried again with the next line, and at the end.
      this.#complain(error);
    }
    this.#draining = null;
  }

  async #writeBatch(): Promise<void> {
    const file = await this.#open();
    try {
      for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
        const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
        const { bytesWritten } = await file.write(bytes);
        this.#torn = bytesWritten > 0 && bytesWritten < bytes.length;
        if (bytesWritten < bytes.length) throw new Error("there is no room for a whole line");
        this.#waiting.shift();
      }
    } finally {
      await file.close();
    }
  }

  async #open(): Promise<promises.FileHandle> {
    try {
      return await promises.open(this.#path, "a");
    } catch (error) {
      if (!isMissing(error)) throw error;
      await promises.mkdir(dirname(this.#path)).catch(() => {});
      return promises.open(this.#path, "a");
    }
  }

  /** In the very last moment only what is synchronous still happens. */
  #writeRest(): void {
    if (this.#waiting.length === 0) return;
    try {
      const file = this.#openNow();
      for (const line of this.#waiting.splice(0)) writeSync(file, line);
      closeSync(file);
    } catch (error) {
      this.#complain(error);
    }
  }

  #openNow(): number {
    try {
      return openSync(this.#path, "a");
    } catch (error) {
      if (!isMissing(error)) throw error;
      mkdirSync(dirname(this.#path));
      return openSync(this.#path, "a");
    }
  }

  #complain(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#log.once("audit.write", "error", `the audit log ${this.#path} cannot be written: ${why}`);
  }
}

const isMissing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
