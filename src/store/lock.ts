import { createHash, randomUUID } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { now } from "../clock.ts";

/** How often the holder shows that it lives, and after how long without a sign it counts as gone, ms. */
const SIGN_MS = 5_000;
const GONE_MS = 30_000;

/** A file's lock, held by this process. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock on a path, or returns who has it. A lock is a file whose name says who made it: making it is atomic,
 * and one whose maker was killed is seen to be stale and removed. Each contender makes its own and then looks for
 * others, so two that come at once may both step back, but can never both hold it.
 */
export function takeLock(path: string): Lock | { readonly holder: string } {
  const own = `${path}.lock.${here()}.${process.pid}.${startOf(process.pid)}.${randomUUID().slice(0, 8)}`;
  closeSync(openSync(own, "wx"));
  const others = readdirSync(dirname(path)).filter((file) => file.startsWith(`${basename(path)}.lock.`));
  for (const file of others) {
    const other = join(dirname(path), file);
    if (other === own) continue;
    if (isAlive(other)) {
      rmSync(own, { force: true });
      return { holder: file.split(".").at(-3) ?? "unknown" };
    }
    rmSync(other, { force: true });
  }
  const timer = setInterval(() => touch(own), SIGN_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      rmSync(own, { force: true });
    },
  };
}

/** Whether the maker of a lock file still runs. */
function isAlive(file: string): boolean {
  const [place, pid, start] = basename(file).split(".").slice(-4);
  // Process numbers mean nothing on another host or in another container: there only a sign of life counts.
  if (place !== here()) return isFresh(file);
  if (!runs(Number(pid))) return false;
  const started = startOf(Number(pid));
  return started === "0" ? isFresh(file) : started === start;
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function isFresh(file: string): boolean {
  try {
    return now() - statSync(file).mtimeMs < GONE_MS;
  } catch {
    return false;
  }
}

function touch(file: string): void {
  try {
    utimesSync(file, now() / 1000, now() / 1000);
  } catch {
    // The folder is gone; the next write to the journal says so.
  }
}

/** When a process started, in the kernel's ticks, since numbers are used again; "0" where that cannot be known. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // proc(5): field 22 is starttime; field 2, the name, is in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}

/** This host and, on Linux, this process namespace. */
function here(): string {
  let space = "";
  try {
    space = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux: processes of one host share one namespace.
  }
  return createHash("sha256").update(`${hostname()} ${space}`).digest("hex").slice(0, 12);
}
