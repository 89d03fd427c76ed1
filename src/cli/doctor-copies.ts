/**
 * Copies of a package in a project's node_modules, however they got there: nested, under another name, in pnpm's store.
 */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Copy } from "./doctor-clients.ts";

/** A tree of more packages is not searched to its end. */
const MOST_PACKAGES = 20_000;

export interface Found {
  readonly copies: ReadonlyMap<string, readonly Copy[]>;
  /** How many packages were looked at. */
  readonly packages: number;
  readonly whole: boolean;
}

/** Looks for packages of these names in the node_modules of the folder and of those above it. */
export function findCopies(folder: string, names: readonly string[]): Found {
  const copies = new Map<string, Copy[]>(names.map((name) => [name, []]));
  const seen = new Set<string>();
  let packages = 0;

  const look = (path: string): void => {
    const real = attempt(() => realpathSync(path));
    if (real === null || seen.has(real) || packages >= MOST_PACKAGES) return;
    seen.add(real);
    packages += 1;
    const { name, version } = manifestOf(real);
    if (name !== null && version !== null) copies.get(name)?.push({ version, path: real });
    within(join(real, "node_modules"));
  };

  const within = (modules: string): void => {
    for (const entry of entriesOf(modules)) {
      const path = join(modules, entry);
      if (entry === ".pnpm") for (const one of entriesOf(path)) within(join(path, one, "node_modules"));
      else if (entry.startsWith("@")) for (const one of entriesOf(path)) look(join(path, one));
      else if (!entry.startsWith(".")) look(path);
    }
  };

  for (let at = folder; ; at = dirname(at)) {
    within(join(at, "node_modules"));
    if (dirname(at) === at) break;
  }
  return { copies, packages, whole: packages < MOST_PACKAGES };
}

/** Name and version of the package in a folder; null where it says none. */
export function manifestOf(folder: string): { readonly name: string | null; readonly version: string | null } {
  const parsed: unknown = attempt(() => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  if (typeof parsed !== "object" || parsed === null) return { name: null, version: null };
  const text = (key: string): string | null => {
    const value: unknown = Reflect.get(parsed, key);
    return typeof value === "string" ? value : null;
  };
  return { name: text("name"), version: text("version") };
}

const entriesOf = (folder: string): readonly string[] =>
  attempt(() => (statSync(folder).isDirectory() ? readdirSync(folder).sort() : [])) ?? [];

function attempt<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch {
    return null;
  }
}
