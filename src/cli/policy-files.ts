/**
 * Policy and test files as they lie on the disk, for verbs that write them or look at them one by one.
 * @module
 */
import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { isVisible } from "../files.ts";

/** Tests have a name of their own; every other `*.budget` is a policy. */
export const isSuite = (path: string): boolean => path.endsWith(".test.budget");

/** The file itself, or the policies and tests that lie in the folder, by name; none where nothing is there. */
export function policyFilesAt(path: string): readonly string[] {
  return orSay(path, () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if (!stat.isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => isVisible(name) && name.endsWith(".budget"))
      .sort()
      .map((name) => join(path, name));
  });
}

/** The text with everything that is in it: a byte order mark, Windows line ends. */
export function readText(path: string): string {
  const bytes = orSay(path, () => readFileSync(path));
  if (!isUtf8(bytes)) throw new ConfigError(`${path} is not UTF-8 text; save it as UTF-8.`);
  return bytes.toString("utf8");
}

/** Puts a new text in place of a file in one step, so that nobody ever reads half of it. Its mode stays. */
export function replaceFile(path: string, text: string): void {
  orSay(path, () => {
    // A link stays a link: what it points to is replaced.
    const target = realpathSync(path);
    const { mode } = statSync(target);
    const next = `${target}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      writeFileSync(next, text, { flag: "wx" });
      chmodSync(next, mode & 0o7777);
      renameSync(next, target);
    } catch (error) {
      rmSync(next, { force: true });
      throw error;
    }
  });
}

function orSay<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
