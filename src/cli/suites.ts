/**
 * Test files and the policy that each is about: `x.test.budget` tests `x.budget` beside it, with what that imports;
 * where there is none, it tests the whole folder.
 * @module
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isVisible, loadSources, type Source } from "../files.ts";
import { type Compiled, compile } from "../policy/compile.ts";
import { usageError } from "./exit.ts";
import { readText } from "./policy-files.ts";

const ENDING = ".test.budget";

export interface SuiteFile {
  readonly source: Source;
  /** What it tests, as shown to people: a file, or a folder with a `/` behind it. */
  readonly subject: string;
  readonly policy: Compiled;
}

/** The tests that these words name, or those beside the policy of the project; in name order, each once. */
export function findSuites(words: readonly string[], cwd: string, root: string, paths: readonly string[]): SuiteFile[] {
  const found = words.length > 0 ? words.flatMap((word) => named(word, cwd)) : paths.flatMap(beside);
  const policies = new Map<string, Compiled>();
  return [...new Set(found)].sort().map((file) => {
    const own = `${file.slice(0, -ENDING.length)}.budget`;
    const subject = existsSync(own) ? own : dirname(file);
    const policy = policies.get(subject) ?? compiled(subject, root);
    policies.set(subject, policy);
    const name = shown(root, subject);
    const text = readText(file).replace(/^\uFEFF/, "");
    return { source: { file: shown(root, file), text }, subject: subject === own ? name : `${name}/`, policy };
  });
}

function compiled(path: string, root: string): Compiled {
  const { sources, read } = loadSources({ root, policy: { paths: [path], asked: true } });
  return compile(sources, { read });
}

/** Tests that a word on the command line names: a file of tests, the tests of a policy, or all of a folder. */
function named(word: string, cwd: string): readonly string[] {
  const path = resolve(cwd, word);
  if (!existsSync(path)) throw usageError(`There is no file or folder ${word}.`, "test");
  const found = beside(path);
  if (found.length > 0 || statSync(path).isDirectory()) return found;
  throw usageError(`${word} has no tests: ${word.replace(/(\.budget)?$/, ENDING)} does not exist.`, "test");
}

function beside(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isDirectory()) {
    const names = readdirSync(path).filter((name) => isVisible(name) && name.endsWith(ENDING));
    return names.map((name) => join(path, name));
  }
  if (path.endsWith(ENDING)) return [path];
  const tests = path.replace(/\.budget$/, ENDING);
  return tests !== path && existsSync(tests) ? [tests] : [];
}

function shown(root: string, file: string): string {
  const path = relative(root, file);
  return (path.startsWith("..") ? file : path).split(sep).join("/");
}
