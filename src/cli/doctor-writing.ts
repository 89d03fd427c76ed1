/**
 * Whether the ledger can be written: a store that only answers judges nothing.
 */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { RedisLink } from "../store/redis-link.ts";
import { type Check, check, reason } from "./doctor-check.ts";

/** Writes by a script and takes it back, as a judgement does: what a full, read-only or restricted Redis refuses. */
const TRIAL = "redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('DEL', KEYS[1])";

/** Redis: runs a script that writes, on a key of its own that it leaves no trace of. */
export async function redisWriting(link: RedisLink): Promise<Check> {
  try {
    await link.run((client) => client.call("EVAL", TRIAL, 1, `bg:1:doctor:${process.pid}`));
    return check("store", "ok", "writing", "a script may write");
  } catch (error) {
    return check(
      "store",
      "fail",
      "writing",
      reason(error),
      "While it is so, `store.down` of the policy decides on every call.",
    );
  }
}

/** A file: it, or the nearest folder above it that is there, may be written. */
export function fileWriting(path: string): Check {
  const there = nearest(path);
  try {
    const { isFile } = statOf(there);
    if (isFile !== (there === path))
      return check("store", "fail", "writing", `${there} is ${isFile ? "no" : "a"} folder`, NAME_A_FILE);
    accessSync(there, constants.W_OK);
    return check("store", "ok", "writing", "allowed");
  } catch (error) {
    return check("store", "fail", "writing", reason(error), "Calls find the ledger down: let this user write there.");
  }
}

const NAME_A_FILE = "BUDGET_GUARD_STORE=file:PATH names a file in a folder that is there or can be made.";

const statOf = (path: string): { readonly isFile: boolean } => ({ isFile: !statSync(path).isDirectory() });

function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) || at === dirname(at)) return at;
  }
}
