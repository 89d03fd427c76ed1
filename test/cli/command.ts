/**
 * A command run in this process, in a folder of its own, with a clock of its own.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Folder {
  readonly path: string;
  write(file: string, text: string): void;
  /** Runs `budget-guard ARGS` in the folder, or in one below it. */
  run(
    args: readonly string[],
    wishes?: { readonly env?: Record<string, string>; readonly below?: string },
  ): Promise<Ran>;
}

/** 22 November 2026, a Sunday, 14:30 UTC. */
export const NOON = Date.UTC(2026, 10, 22, 14, 30);

/** An empty project folder, removed after the test. `policy` becomes policies/test.budget. */
export function folder(policy?: string, clock: () => number = () => NOON): Folder {
  const path = mkdtempSync(join(tmpdir(), "budget-guard-cli-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  write("package.json", "{}\n");
  if (policy !== undefined) write("policies/test.budget", policy);
  return {
    path,
    write,
    async run(args, { env = {}, below = "" } = {}) {
      const { terminal, out, err } = paper();
      const code = await dispatch(args, { env, cwd: join(path, below), clock, terminal });
      return { code, out: out.join("\n"), err: err.join("\n") };
    },
  };
}

function paper(): { readonly terminal: Terminal; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (lines: string[]) => ({
    line: (text: string) => void lines.push(text),
    exactly: (text: string) => void lines.push(text.replace(/\n$/, "")),
    paint: (_: string, text: string) => text,
  });
  return { terminal: { out: stream(out), err: stream(err) }, out, err };
}
