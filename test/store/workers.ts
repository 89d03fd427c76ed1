import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JudgeRequest, Settlement } from "../../src/store/store.ts";

const script = fileURLToPath(new URL("./worker.mjs", import.meta.url));
const built = fileURLToPath(new URL("../../dist/store/open.js", import.meta.url));

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
  kill(): Promise<void>;
}

/** Starts a process and waits until its store is open, or cannot be. */
export async function startWorker(url: string, env: Readonly<Record<string, string>> = {}): Promise<Worker> {
  if (!existsSync(built)) throw new Error("dist is missing: build the package first (npm run build)");
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
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
