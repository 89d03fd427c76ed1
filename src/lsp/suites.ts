/**
 * The test suites beside a policy, with the editor's buffers over the disk.
 * @module
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** Suites that lie in the folders, or are the file itself. */
export function suitesIn(
  paths: readonly string[],
  path: string,
  buffers: ReadonlyMap<string, string>,
): readonly { readonly path: string; readonly text: string }[] {
  const found = new Set<string>();
  for (const folder of paths) for (const name of namesIn(folder)) if (isSuite(name)) found.add(join(folder, name));
  for (const open of buffers.keys()) if (isSuite(open) && paths.includes(dirname(open))) found.add(open);
  if (isSuite(path)) found.add(path);
  return [...found].flatMap((file) => {
    const text = buffers.get(file) ?? textAt(file);
    return text === null ? [] : [{ path: file, text }];
  });
}

const isSuite = (name: string): boolean => name.endsWith(".test.budget");

function namesIn(folder: string): readonly string[] {
  try {
    return statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
  } catch {
    return [];
  }
}

function textAt(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
