import { resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { ConfigError } from "../errors.ts";
import { openFile } from "./file.ts";
import { openMemory } from "./memory.ts";
import { openRedis } from "./redis.ts";
import { redisTarget } from "./redis-url.ts";
import type { Store } from "./store.ts";

export interface OpenOptions {
  /** Folder that relative file paths start from. */
  readonly root: string;
  readonly clock: Clock;
}

const SCHEMES = "file:PATH, memory:, redis://, rediss://, redis+unix:// and redis+sentinel://";

/** What kind of store a `BUDGET_GUARD_STORE` names, and how it is called, without opening it. ConfigError where there is none. */
export function describeStore(url: string): { readonly kind: Store["kind"]; readonly name: string } {
  const scheme = /^([a-z+]+):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "memory":
      return { kind: "memory", name: "memory" };
    case "file": {
      const path = filePath(url);
      if (path === "") throw new ConfigError(`the store ${url} names no file: write file:.budget-guard/ledger.db`);
      return { kind: "file", name: `file ${path}` };
    }
    case "redis":
    case "rediss":
    case "redis+unix":
    case "redis+sentinel":
      return { kind: "redis", name: redisTarget(url).name };
    case "redis+cluster":
      throw new ConfigError(
        "redis+cluster:// does not run yet: use one Redis (redis://) or Sentinel (redis+sentinel://)",
      );
    default:
      throw new ConfigError(
        `BUDGET_GUARD_STORE names an unknown store${scheme === undefined ? "" : ` (${scheme}:)`}; there are ${SCHEMES}`,
      );
  }
}

/** Opens the store that a `BUDGET_GUARD_STORE` names. ConfigError where it names none, StoreDown where it cannot be reached. */
export async function openStore(url: string, { root, clock }: OpenOptions): Promise<Store> {
  const { kind, name } = describeStore(url);
  if (kind === "memory") return openMemory(clock);
  if (kind === "file") return openFile(resolve(root, filePath(url)), { clock, name });
  return openRedis(url, { clock });
}

/** `file:a/b` and `file:///a/b`. */
const filePath = (url: string): string => url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
