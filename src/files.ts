/**
 * Policy files as text: a file, a folder read one level deep, or a list of both; and the files that those name.
 * @module
 */
import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError } from "./errors.ts";
import type { ReadFile } from "./policy/imports.ts";

/** A policy file: its name as shown to people (relative to the root, with `/`), and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export interface Sources {
  readonly sources: readonly Source[];
  /** Reads a file that a policy names: policies and JSON at or below the folders that the deployment named. */
  readonly read: ReadFile;
}

/** Bytes of one file. Nobody reviews a policy longer than this. */
const LARGEST = 8_000_000;

/** Reads the policy files in name order; none where nobody asked for any and none is there. */
export const readPolicies = (config: Pick<Config, "root" | "policy">): readonly Source[] => loadSources(config).sources;

/** The policy files, and how to read what they import. */
export function loadSources(config: Pick<Config, "root" | "policy">): Sources {
  const sources: Source[] = [];
  const seen = new Set<string>();
  const shelf = new Shelf(config.root);
  for (const path of config.policy.paths) {
    const found = filesAt(path);
    if (found === null && config.policy.asked) throw new ConfigError(`${path} does not exist.`);
    if (found?.files.length === 0 && config.policy.asked) {
      throw new ConfigError(`${path} holds no *.budget file. Create one with \`npx budget-guard init\`.`);
    }
    if (found !== null) shelf.open(found.folder);
    for (const file of found?.files ?? []) {
      if (seen.has(file)) continue;
      seen.add(file);
      const text = textOf(file, file !== path);
      sources.push(Object.freeze({ file: shelf.nameOf(file), text }));
    }
  }
  const read: ReadFile = (from, path) => shelf.read(from, path);
  return Object.freeze({ sources: Object.freeze(sources), read });
}

/** Where policies may be read from, and what the files there are called. */
class Shelf {
  readonly #root: string;
  /** Real paths of the folders that the deployment named. */
  readonly #folders = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #paths = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  open(folder: string): void {
    this.#folders.add(reading(folder, () => realpathSync(folder)));
  }

  /** The file's name as shown to people: one name, by whatever link it is reached. */
  nameOf(path: string): string {
    const real = realpathSync(path);
    const known = this.#names.get(real);
    if (known !== undefined) return known;
    const name = shown(this.#root, path);
    this.#names.set(real, name);
    this.#paths.set(name, path);
    return name;
  }

  read(from: string, path: string): ReturnType<ReadFile> {
    const base = this.#paths.get(from);
    if (base === undefined) return { why: "no other file can be read here" };
    const wanted = resolve(dirname(base), path);
    // Judged before anything is touched, so that not even the existence of files elsewhere can be asked about.
    if (!this.#holds(wanted, dirname(base))) return { why: OUTSIDE };
    const file = shown(this.#root, wanted);
    let real: string;
    try {
      real = realpathSync(wanted);
    } catch (error) {
      return { why: codeOf(error) === "ENOENT" ? "there is no such file" : reasonOf(error), file };
    }
    if (![...this.#folders].some((folder) => isWithin(real, folder)) || extname(real) !== extname(wanted)) {
      return { why: "it is a link to a place outside the policy's folder" };
    }
    try {
      return { file: this.nameOf(wanted), text: decoded(bounded(real)) };
    } catch (error) {
      return { why: reasonOf(error), file };
    }
  }

  /** By the path alone: the folder of the file that names it may itself be reached through a link. */
  #holds(wanted: string, from: string): boolean {
    const there = join(realpathSync(from), relative(from, wanted));
    return [...this.#folders].some((folder) => isWithin(there, folder) || isWithin(wanted, folder));
  }
}

const OUTSIDE = "it is outside the policy's folder";

const isWithin = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);

/** The bytes of a regular file that is not too large: a pipe would never end, and a log is no policy. */
function bounded(path: string): Buffer {
  if (!statSync(path).isFile()) throw new Error("it is no ordinary file");
  const handle = openSync(path, "r");
  try {
    const { size } = fstatSync(handle);
    if (size > LARGEST) throw new Error("it is larger than 8 MB");
    const bytes = Buffer.alloc(size);
    let read = 0;
    while (read < size) {
      const more = readSync(handle, bytes, read, size - read, read);
      if (more === 0) break;
      read += more;
    }
    return bytes.subarray(0, read);
  } finally {
    closeSync(handle);
  }
}

function decoded(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new Error("it is not UTF-8 text; save it as UTF-8");
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null);

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/, \w+ '.*'$/, "") : String(error);

/**
 * The text without a byte order mark. What cannot be read ends the start: a rule that is not read is a rule less. What
 * was `found` in a folder nobody named, and a pipe there would be read for ever.
 */
function textOf(file: string, found: boolean): string {
  const bytes = reading(file, () => {
    const stat = statSync(file);
    if (found && !stat.isFile() && !stat.isDirectory()) throw new Error("it is no ordinary file");
    return readFileSync(file);
  });
  if (!isUtf8(bytes)) throw new ConfigError(`${file} is not UTF-8 text; save it as UTF-8.`);
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** What editors and archives lay beside a file begins with a dot: Emacs locks `x.budget` by a link `.#x.budget`. */
export const isVisible = (name: string): boolean => !name.startsWith(".");

interface Found {
  readonly folder: string;
  readonly files: readonly string[];
}

function filesAt(path: string): Found | null {
  const stat = reading(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stat === undefined) return null;
  if (!stat.isDirectory()) return { folder: dirname(path), files: [path] };
  const files = reading(path, () => readdirSync(path))
    .filter((name) => isVisible(name) && name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .sort()
    .map((name) => join(path, name));
  return { folder: path, files };
}

function shown(root: string, file: string): string {
  const path = relative(root, file);
  return (path.startsWith("..") ? file : path).split(sep).join("/");
}
