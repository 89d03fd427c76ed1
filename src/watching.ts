/**
 * Whether files have changed, by looking: it sees what editors, Kubernetes' symlinks and network mounts do, which file
 * system events do not.
 * @module
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isVisible } from "./files.ts";

/** A file may be written twice without a new time while that is as coarse as this, ms: its bytes are looked at then. */
const COARSE_MS = 3_000;

/**
 * What these paths look like now: the same text as long as nothing has changed. A folder stands for its `*.budget`
 * files. `wallClock`: ms since 1970. Never rejects.
 */
export async function looksOf(paths: readonly string[], wallClock: () => number): Promise<string> {
  const looks = await Promise.all([...new Set(paths)].sort().map((path) => lookOf(path, wallClock, true)));
  return looks.join("\n");
}

async function lookOf(path: string, wallClock: () => number, enter: boolean): Promise<string> {
  try {
    const found = await stat(path, { bigint: true });
    if (found.isDirectory()) {
      const names = enter
        ? (await readdir(path)).filter((name) => isVisible(name) && name.endsWith(".budget")).sort()
        : [];
      const files = await Promise.all(names.map((name) => lookOf(join(path, name), wallClock, false)));
      return [path, ...files].join("\n");
    }
    if (!found.isFile()) return `${path} ${found.mode}`;
    const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = found;
    const recent = Math.abs(wallClock() - Number(mtimeMs)) < COARSE_MS;
    const bytes = recent
      ? createHash("sha256")
          .update(await readFile(path))
          .digest("base64")
      : "";
    return [path, dev, ino, size, mtimeNs, ctimeNs, bytes].join(" ");
  } catch (error) {
    return `${path} ${error instanceof Error && "code" in error ? String(error.code) : "unreadable"}`;
  }
}
