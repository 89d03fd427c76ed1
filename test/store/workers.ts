import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import type { JudgeRequest, Settlement } from "../../src/store/store.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** A package of its own, under node_modules, where the stores' dependencies are found. */
const folder = join(root, "node_modules", ".cache", "budget-guard", `workers-${process.pid}`);
const script = join(folder, "dist", "worker.js");

/** Bundles what the processes run: Node 20 cannot run the sources. */
export async function buildWorker(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  cpSync(join(root, "src", "store", "lua"), join(folder, "dist", "store", "lua"), { recursive: true });
  const input = join(root, "test", "store", "worker.ts");
  const bundle = await rolldown({ input, platform: "node", external: /^(node:|ioredis)/ });
  await bundle.write({ file: script, format: "esm", codeSplitting: false });
}

export function removeWorker(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** A process that judges on a ledger on its own. */
export interface Worker {
  readonly process: ChildProcess;
  /** What it said of opening the store: `ready`, or the error. */
  readonly opened: string;
  judge(requests: readonly JudgeRequest[]): Promise<readonly boolean[]>;
  /** Settles without waiting, and ends by itself; resolves with its exit code. */
  settleAndEnd(settlement: Settlement): Promise<number | null>;
  /** Lets it end by itself, its store open and idle. */
  end(): Promise<number | null>;
  /** Lets it shut its store, wait for that, and end. */
  shutAndEnd(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Starts a process and waits until its store is open, or cannot be. */
export async function startWorker(url: string, env: Readonly<Record<string, string>> = {}): Promise<Worker> {
  const child = fork(script, [url], { env: { ...process.env, ...env }, execArgv: [], serialization: "advanced" });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const heard = () => new Promise<unknown>((resolve) => child.once("message", resolve));
  const opened = String(await heard());
  return {
    process: child,
    opened,
    async judge(requests) {
      const answer = heard();
      child.send({ kind: "judge", requests });
      const held = await answer;
      return Array.isArray(held) ? held.map(Boolean) : [];
    },
    settleAndEnd(settlement) {
      child.send({ kind: "settle and end", settlement });
      return ended;
    },
    end() {
      child.send({ kind: "end" });
      return ended;
    },
    shutAndEnd() {
      child.send({ kind: "shut and end" });
      return ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
