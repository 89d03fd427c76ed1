/**
 * Loaded after the guard into every Node process of a program that the doctor starts: writes down, once a moment and at
 * the end, what the guard stands in front of there. It asks nobody anything, and loads nothing.
 * @module
 */
import { EventEmitter } from "node:events";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { FOLDER, type ProcessReport } from "./doctor-report.ts";

/** How often it looks, ms. */
const PAUSE = 300;

/** Files by which a loaded package shows itself, wherever it lies. */
const LOADED = {
  undici: /^(.*[\\/])lib[\\/]core[\\/]request\.js$/,
  api: /^(.*[\\/]@opentelemetry[\\/]api[\\/])build[\\/](?:src|esm|esnext)[\\/]index\.js$/,
} as const;

const folder = process.env[FOLDER];
if (folder !== undefined && folder !== "" && isMainThread) watch(folder);

function watch(folder: string): void {
  const write = (ended: boolean): void => {
    try {
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${process.pid}.json`);
      writeFileSync(`${path}.new`, JSON.stringify(look(ended)));
      renameSync(`${path}.new`, path);
    } catch {
      // The doctor is gone, or the disk is full: the program must not hear of it.
    }
  };
  write(false);
  setInterval(() => write(false), PAUSE).unref();
  process.once("exit", () => write(true));
}

function look(ended: boolean): ProcessReport {
  const guard: unknown = Reflect.get(globalThis, Symbol.for("budget-guard.v1"));
  const present = typeof guard === "object" && guard !== null;
  return {
    pid: process.pid,
    script: process.argv[1] ?? null,
    execPath: process.execPath,
    execArgv: process.execArgv,
    node: process.versions.node,
    guard: present ? String(Reflect.get(guard, "version")) : null,
    off: present && Reflect.get(guard, "ledger") === null,
    hooked: Reflect.get(globalThis, Symbol.for("budget-guard.installed")) === true && seamIsAlive(),
    undici: roots(LOADED.undici),
    api: roots(LOADED.api),
    tracing: tracing(),
    ended,
  };
}

/** What the hooks live by: every emitter that is made passes by them, and a dispatcher among these is patched. */
function seamIsAlive(): boolean {
  class Dispatcher extends EventEmitter {
    get closed(): boolean {
      return false;
    }
    get destroyed(): boolean {
      return false;
    }
    dispatch(): boolean {
      return false;
    }
  }
  class Agent extends Dispatcher {}
  const { dispatch } = Dispatcher.prototype;
  new Agent();
  return Dispatcher.prototype.dispatch !== dispatch;
}

/** Folders of packages that were loaded, by CommonJS or through it by `import`. */
function roots(file: RegExp): readonly string[] {
  const cache = Object.keys(createRequire(import.meta.url).cache);
  return [...new Set(cache.map((path) => file.exec(path)?.[1]).filter((root) => root !== undefined))];
}

/** Whether a tracer provider is registered with the API. */
function tracing(): boolean {
  const api: unknown = Reflect.get(globalThis, Symbol.for("opentelemetry.js.api.1"));
  return typeof api === "object" && api !== null && "trace" in api;
}
