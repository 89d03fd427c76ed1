/**
 * The ledger that would decide: whether it answers, how fast, and what could make it forget.
 */
import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import type { Config } from "../config.ts";
import { describeStore } from "../store/open.ts";
import { RedisLink } from "../store/redis-link.ts";
import { redisTarget } from "../store/redis-url.ts";
import { type Check, check, reason } from "./doctor-check.ts";
import { fileWriting, redisWriting } from "./doctor-writing.ts";
import { CommandError } from "./exit.ts";
import { ledgerFile, storePath, withLedgerToRead } from "./ledger.ts";
import { count } from "./phrases.ts";
import type { World } from "./verb.ts";

/** Round trips that are timed, after a first one that connects. */
const TRIPS = 5;

/** Opens the ledger to read, as `status` does: nothing is created or changed. */
export async function storeChecks(config: Config, world: World): Promise<readonly Check[]> {
  const { kind, name } = describeStore(config.store);
  if (kind === "memory") {
    const advice = "BUDGET_GUARD_STORE=file:.budget-guard/ledger.db or redis://HOST:PORT counts across processes.";
    return [check("store", "warn", "memory", "each process counts for itself and forgets when it ends", advice)];
  }
  try {
    const ms = await withLedgerToRead(config, world, async (store) => {
      if (store === null) return null;
      await store.gates();
      const began = performance.now();
      for (let trip = 0; trip < TRIPS; trip += 1) await store.gates();
      return (performance.now() - began) / TRIPS;
    });
    const answered =
      ms === null ? check("store", "ok", name, "does not exist yet: the first call makes it") : trip(name, ms, config);
    return [answered, ...(kind === "redis" ? await redisChecks(config.store) : fileChecks(config))];
  } catch (error) {
    if (!(error instanceof CommandError)) return [check("store", "fail", name, reason(error))];
    const [detail = "", ...advice] = error.message.split("\n");
    return [check("store", "fail", name, detail, advice.join("\n"))];
  }
}

function trip(name: string, ms: number, { storeOptions }: Config): Check {
  const detail = `answers in ${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`;
  if (ms * 2 < storeOptions.deadlineMs) return check("store", "ok", name, detail);
  const advice = `Calls wait ${storeOptions.deadlineMs} ms for it before it counts as down: "store": {"deadline": ...}.`;
  return check("store", "warn", name, detail, advice);
}

function fileChecks(config: Config): readonly Check[] {
  const file = ledgerFile(config);
  if (file === null) return [];
  const engine =
    file.engine === "sqlite"
      ? check("store", "ok", "engine", "SQLite: the processes of this machine share it")
      : check(
          "store",
          "warn",
          "engine",
          `a journal for one process at a time, since Node ${process.versions.node} has no node:sqlite`,
          "For a second process the ledger is down. Node 22.13 or newer, or Redis, is shared.",
        );
  const users = processesWith(file.path);
  const writing = fileWriting(storePath(config) ?? file.path);
  return users === null
    ? [engine, writing]
    : [
        engine,
        writing,
        check("store", "ok", "shared by", `${count(users, "process")} now`.replace("processs", "processes")),
      ];
}

/** How many processes have the file open now, where the system tells (Linux); null where it does not. */
export function processesWith(path: string): number | null {
  try {
    const real = realpathSync(path);
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
    return pids.filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === real);
      } catch {
        return false;
      }
    }).length;
  } catch {
    return null;
  }
}

async function redisChecks(url: string): Promise<readonly Check[]> {
  const link = new RedisLink(redisTarget(url));
  const text = async (...command: readonly [string, ...string[]]): Promise<string | null> => {
    try {
      const [name, ...args] = command;
      const answer: unknown = await link.run((client) => client.call(name, ...args));
      return Array.isArray(answer) ? String(answer[1] ?? "") : String(answer);
    } catch {
      // Hosted Redis often forbids CONFIG and CLIENT.
      return null;
    }
  };
  try {
    const writing = await redisWriting(link);
    const [eviction, clients, memory, persistence, server] = [
      await text("CONFIG", "GET", "maxmemory-policy"),
      await text("CLIENT", "LIST"),
      await text("INFO", "memory"),
      await text("INFO", "persistence"),
      await text("INFO", "server"),
    ];
    return [
      check("store", "ok", "version", field(server, "redis_version") ?? "not told"),
      writing,
      evictionCheck(eviction ?? field(memory, "maxmemory_policy"), field(memory, "maxmemory") !== "0"),
      persistenceCheck(persistence),
      ...(clients === null ? [] : [sharedCheck(clients)]),
    ];
  } finally {
    await link.shut();
  }
}

/** A ledger that Redis may throw away to make room is a budget that starts anew. */
export function evictionCheck(policy: string | null, bounded: boolean): Check {
  const name = "eviction";
  if (policy === null || policy === "") return check("store", "warn", name, "this Redis does not tell", ADVICE);
  if (policy === "noeviction") return check("store", "ok", name, "noeviction: nothing is thrown away to make room");
  if (!bounded)
    return check("store", "warn", name, `${policy}, and no maxmemory is set: nothing is thrown away yet`, ADVICE);
  const danger = policy.startsWith("volatile") ? "keys that expire" : "any key";
  return check(
    "store",
    "fail",
    name,
    `${policy}: when memory runs out, ${danger} may be thrown away, spend among them`,
    ADVICE,
  );
}

const ADVICE = "Give the ledger a Redis of its own with `maxmemory-policy noeviction`.";

function persistenceCheck(info: string | null): Check {
  const [log, snapshots] = [field(info, "aof_enabled"), field(info, "rdb_last_save_time")];
  if (info === null || log === null) return check("store", "warn", "persistence", "this Redis does not tell");
  if (log === "1") return check("store", "ok", "persistence", "append-only file: a restart forgets a second at most");
  const advice = "`appendonly yes` keeps what was spent when Redis restarts.";
  const detail = snapshots === null ? "none" : "snapshots at most: a restart forgets what was spent since the last one";
  return check("store", "warn", "persistence", detail, advice);
}

function sharedCheck(list: string): Check {
  const ours = list.split("\n").filter((line) => /\bname=budget-guard\b/.test(line)).length;
  // One of them is this command's.
  const others = Math.max(0, ours - 1);
  return check("store", "ok", "shared by", `${others} ${others === 1 ? "process" : "processes"} now`);
}

const field = (info: string | null, name: string): string | null =>
  new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info ?? "")?.[1] ?? null;
