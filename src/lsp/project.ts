/**
 * The policy that a file belongs to: what is read together is checked together, with the editor's buffers over the disk.
 * @module
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { findRoot, readConfig } from "../config.ts";
import { loadSources } from "../files.ts";
import { type Compiled, type CompileOptions, compile } from "../policy/compile.ts";
import type { Diagnostic, Source } from "../policy/diagnostics.ts";
import type { Models } from "../policy/models.ts";
import type { Plan } from "../policy/plan.ts";
import { type Declaration, declarationsOf, type ParsedSource, parsed } from "./declared.ts";
import { suiteFindings } from "./suite-findings.ts";
import { suitesIn } from "./suites.ts";

export interface Project {
  /** Null where the policy has an error. */
  readonly plan: Plan | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Policies, then tests. */
  readonly sources: readonly Source[];
  readonly policies: readonly ParsedSource[];
  readonly declarations: readonly Declaration[];
  /** The name of a file in diagnostics, and back to its absolute path. */
  readonly nameOf: (path: string) => string;
  readonly pathOf: (name: string) => string;
  /** The name of a file that another file names by a path relative to itself. */
  readonly beside: (file: string, path: string) => string;
  /** Compiles again with another text for one file: to see what an edit would do. */
  readonly tryWith: (file: string, text: string) => readonly Diagnostic[];
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Texts of open documents by absolute path. */
  readonly buffers: ReadonlyMap<string, string>;
  readonly models: Models | null;
}

export const isSuite = (path: string): boolean => path.endsWith(".test.budget");

const policyOf = (suite: string): string => suite.replace(/\.test\.budget$/, ".budget");

/** Reads and compiles everything that the file at this absolute path is read together with. */
export function loadProject(path: string, surroundings: Surroundings): Project {
  const folder = dirname(path);
  const root = findRoot(folder);
  const deployed = deployedPaths(root, surroundings.env);
  const isDeployed = deployed.some((one) => one === path || one === folder);
  const together = load(root, isDeployed ? deployed : [folder], path, surroundings);
  if (isDeployed || !together.diagnostics.some(isClash)) return together;
  // Files of one folder that use a name twice cannot be one policy: a folder of examples, each a policy by itself.
  const own = isSuite(path) ? policyOf(path) : path;
  const alone = load(root, [own], path, surroundings);
  const errorsOf = ({ diagnostics, nameOf }: Project): number =>
    diagnostics.filter((one) => one.severity === "error" && !isClash(one) && one.file === nameOf(own)).length;
  return errorsOf(together) < errorsOf(alone) ? together : alone;
}

/** A name that two files define. */
const isClash = ({ code, file, note }: Diagnostic): boolean =>
  code === "duplicate-name" && note?.includes(`${file}:`) !== true;

/** What the guard would read; the folder `policies` where the settings cannot be read. */
function deployedPaths(root: string, env: Surroundings["env"]): readonly string[] {
  try {
    return readConfig(env, root).policy.paths;
  } catch {
    return [join(root, "policies")];
  }
}

function load(root: string, paths: readonly string[], path: string, { buffers, models }: Surroundings): Project {
  const nameOf = (file: string): string => {
    const name = relative(root, file);
    return (name.startsWith("..") ? file : name).split(sep).join("/");
  };
  const pathOf = (name: string): string => resolve(root, name);
  const bufferOf = (name: string): string | undefined => buffers.get(pathOf(name));
  const disk = fromDisk(root, paths);
  const overlaid = disk.sources.map(({ file, text }) => ({ file, text: bufferOf(file) ?? text }));
  const known = new Set(overlaid.map(({ file }) => real(pathOf(file))));
  // Documents that were never saved.
  const fresh = [...buffers].filter(
    ([file]) =>
      file.endsWith(".budget") &&
      !isSuite(file) &&
      !known.has(real(file)) &&
      (file === path || paths.includes(file) || paths.includes(dirname(file))),
  );
  const given = [...overlaid, ...fresh.map(([file, text]) => ({ file: nameOf(file), text }))];
  const read: NonNullable<CompileOptions["read"]> = (from, wanted) => {
    const found = disk.read(from, wanted);
    return "text" in found ? { ...found, text: bufferOf(found.file) ?? found.text } : found;
  };
  const options: CompileOptions = { read, ...(models === null ? {} : { models }) };
  const compiled = compile(given, options);
  const suites = suitesIn(paths, path, buffers).map(({ path: file, text }) => ({ file: nameOf(file), text }));
  const policies = parsed(compiled.sources);
  const suiteDiagnostics = ({ file, text }: Source): readonly Diagnostic[] => {
    // Of a suite that nobody looks at, only the syntax is read.
    const plan = bufferOf(file) === undefined ? null : testedBy(file, given, compiled, options);
    return suiteFindings(text, plan).map((finding) => ({ ...finding, file }));
  };
  return {
    plan: compiled.plan,
    diagnostics: [...compiled.diagnostics, ...suites.flatMap(suiteDiagnostics)],
    sources: [...compiled.sources, ...suites],
    policies,
    declarations: declarationsOf(policies),
    nameOf,
    pathOf,
    beside: (file, wanted) => nameOf(resolve(dirname(pathOf(file)), wanted)),
    tryWith: (file, text) =>
      isSuite(file) ? suiteDiagnostics({ file, text }) : again(given, file, text, options).diagnostics,
  };
}

function again(given: readonly Source[], file: string, text: string, options: CompileOptions): Compiled {
  const read: CompileOptions["read"] = (from, wanted) => {
    const found = options.read?.(from, wanted) ?? { why: "no other file can be read here" };
    return "text" in found && found.file === file ? { file, text } : found;
  };
  return compile(
    given.map((source) => (source.file === file ? { file, text } : source)),
    { ...options, read },
  );
}

/** The policy that a suite is about: `x.budget` for `x.test.budget` where it exists, else all that is read together. */
function testedBy(suite: string, given: readonly Source[], together: Compiled, options: CompileOptions): Plan | null {
  const own = given.find(({ file }) => file === policyOf(suite));
  return own === undefined || given.length === 1 ? together.plan : compile([own], options).plan;
}

/** What is on the disk; nothing where it cannot be read, since there are buffers, too. */
function fromDisk(root: string, paths: readonly string[]): ReturnType<typeof loadSources> {
  const there = paths.filter((path) => existsSync(path) && !isSuite(path));
  try {
    return loadSources({ root, policy: { paths: there, asked: false } });
  } catch {
    return { sources: [], read: () => ({ why: "the policy's folder cannot be read" }) };
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(dirname(path), basename(path));
  }
}
