import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ConfigError } from "../src/errors.ts";
import { readAgain, readFirst } from "../src/rereading.ts";

it.skipIf(process.platform === "win32")("a policy that is a pipe would be another one when it is read again", () => {
  const root = mkdtempSync(join(tmpdir(), "budget-guard-pipe-"));
  try {
    const pipe = join(root, "p.budget");
    execFileSync("mkfifo", [pipe]);
    const where = { root, policy: { paths: [pipe], asked: true } };
    expect(() => readFirst(where)).toThrow(ConfigError);
    expect(() => readFirst(where)).toThrow(/p\.budget is no ordinary file/);
    expect(readAgain(where, true)).toMatchObject({ plan: null, errors: 1 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
