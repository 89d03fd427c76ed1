import type { RedisOptions } from "ioredis";
import { ConfigError } from "../errors.ts";

/** Where a Redis is, and how it is called for people: without its password. */
export interface RedisTarget {
  readonly name: string;
  readonly options: Omit<RedisOptions, "replyMapping">;
}

const PORT = 6379;
const SENTINEL_PORT = 26_379;

/** Reads redis://, rediss://, redis+unix:// and redis+sentinel:// addresses. ConfigError, which never repeats a password. */
export function redisTarget(url: string): RedisTarget {
  const parts = /^(rediss?|redis\+unix|redis\+sentinel):\/\/(?:([^@/]*)@)?([^/?]*)(\/[^?]*)?(?:\?(.*))?$/i.exec(url);
  if (parts === null)
    throw new ConfigError("the Redis address cannot be read; write redis://[user:password@]host[:port][/db]");
  const [, scheme = "", login = "", hosts = "", path = "", query = ""] = parts;
  const credentials = loginOf(login);
  switch (scheme.toLowerCase()) {
    case "redis+unix": {
      if (path === "") throw new ConfigError("redis+unix:// names no socket; write redis+unix:///run/redis.sock?db=0");
      const db = new URLSearchParams(query).get("db") ?? "0";
      return { name: `redis ${path}`, options: { path: decode(path), db: dbOf(db), ...credentials } };
    }
    case "redis+sentinel": {
      const [, name = "", db = "0"] = path.split("/");
      const sentinels = hosts.split(",").map((host) => hostOf(host, SENTINEL_PORT));
      if (hosts === "" || name === "") {
        throw new ConfigError(
          "redis+sentinel:// needs hosts and a name; write redis+sentinel://host1,host2:26379/mymaster",
        );
      }
      return {
        name: `redis ${name} of ${hosts}`,
        options: { sentinels, name: decode(name), db: dbOf(db), ...credentials },
      };
    }
    default: {
      if (hosts.includes(",")) throw new ConfigError("redis:// names one host; several are redis+sentinel://");
      const { host, port } = hostOf(hosts === "" ? "127.0.0.1" : hosts, PORT);
      const tls = scheme.toLowerCase() === "rediss" ? { tls: { servername: host } } : {};
      const db = path.length > 1 ? path.slice(1) : (new URLSearchParams(query).get("db") ?? "0");
      return {
        name: `redis ${host.includes(":") ? `[${host}]` : host}:${port}`,
        options: { host, port, db: dbOf(db), ...tls, ...credentials },
      };
    }
  }
}

function loginOf(text: string): { readonly username?: string; readonly password?: string } {
  if (text === "") return {};
  const colon = text.indexOf(":");
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decode(text.slice(colon + 1));
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
}

/** `host`, `host:port`, `[::1]:port`. */
function hostOf(text: string, standard: number): { readonly host: string; readonly port: number } {
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = parts?.[3] === undefined ? standard : Number(parts[3]);
  if (host === undefined || port < 1 || port > 65_535) throw new ConfigError(`the Redis host "${text}" cannot be read`);
  return { host, port };
}

function dbOf(text: string): number {
  const db = Number(text);
  if (!Number.isInteger(db) || db < 0) throw new ConfigError(`the Redis database "${text}" is no number`);
  return db;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError("a part of the Redis address is not correctly percent-encoded");
  }
}
