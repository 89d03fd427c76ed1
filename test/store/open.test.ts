import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { describeStore, openStore } from "../../src/store/open.ts";
import { redisTarget } from "../../src/store/redis-url.ts";
import { freePort } from "../support/redis.ts";
import { aRequest } from "./asks.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "open-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const open = (url: string) => openStore(url, { root, clock: Date.now });

test("memory: opens a ledger in this process", async () => {
  const store = await open("memory:");
  expect([store.kind, store.name]).toEqual(["memory", "memory"]);
  expect((await store.judge(aRequest())).held).toBe(true);
});

test("file: opens a ledger under the root, makes its folder and keeps it out of the repository", async () => {
  const store = await open("file:.budget-guard/ledger.db");
  expect([store.kind, store.name]).toEqual(["file", "file .budget-guard/ledger.db"]);
  await store.judge(aRequest());
  await store.shut();
  expect(readFileSync(join(root, ".budget-guard", ".gitignore"), "utf8")).toBe("*\n");
  const again = await open(`file://${join(root, ".budget-guard/ledger.db")}`);
  expect((await again.judge(aRequest())).readings[0]?.held).toBe(10);
  await again.shut();
});

test("file: a folder in place of a file is down, and says so", async () => {
  mkdirSync(join(root, "ledger"));
  await expect(open("file:ledger")).rejects.toThrow(/ledger is a folder, and.*name one/);
});

test("a store that is named opens nothing", () => {
  expect(describeStore("file:a/b.db")).toEqual({ kind: "file", name: "file a/b.db" });
  expect(describeStore("redis://u:p@h:7000/1")).toEqual({ kind: "redis", name: "redis h:7000" });
  expect(existsSync(join(root, "a"))).toBe(false);
});

test.each(["sqlite:x", "http://x", "ledger.db", "", "redis+cluster://a,b", "file:"])(
  "%j is refused with the schemes that exist",
  (url) => {
    expect(() => describeStore(url)).toThrow(ConfigError);
    expect(() => describeStore(url)).toThrow(/file:|redis:\/\//);
  },
);

test.each([
  ["redis://h", { host: "h", port: 6379, db: 0 }, "redis h:6379"],
  ["redis://h:7000/3", { host: "h", port: 7000, db: 3 }, "redis h:7000"],
  ["redis://:p%40ss@h", { host: "h", port: 6379, db: 0, password: "p@ss" }, "redis h:6379"],
  ["redis://u:a:b@h?db=2", { host: "h", port: 6379, db: 2, username: "u", password: "a:b" }, "redis h:6379"],
  ["redis://[::1]:7000", { host: "::1", port: 7000, db: 0 }, "redis [::1]:7000"],
  ["rediss://h:1", { host: "h", port: 1, db: 0, tls: { servername: "h" } }, "redis h:1"],
  ["redis+unix:///run/r.sock?db=4", { path: "/run/r.sock", db: 4 }, "redis /run/r.sock"],
  [
    "redis+sentinel://:p@a,b:7/main/2",
    {
      sentinels: [
        { host: "a", port: 26379 },
        { host: "b", port: 7 },
      ],
      name: "main",
      db: 2,
      password: "p",
    },
    "redis main of a,b:7",
  ],
])("%s is understood, and named without its password", (url, options, name) => {
  expect(redisTarget(url)).toEqual({ options, name });
});

test.each([
  "redis://h:99999",
  "redis://u:topsecret@h:port",
  "redis://:topsecret@h/db",
  "redis://:topsecret@a,b",
  "redis+sentinel://:topsecret@a",
  "redis+sentinel:///main",
  "redis+unix://",
  "redis:h",
  "redis://:%zztopsecret@h",
])("%s is refused without repeating the password", (url) => {
  expect(() => redisTarget(url)).toThrow(ConfigError);
  expect(() => redisTarget(url)).not.toThrow(/topsecret/);
});

test("a Redis that does not answer says where it was looked for, and not with which password", async () => {
  const port = await freePort();
  const error = await open(`redis://user:topsecret@127.0.0.1:${port}`).catch((reason) => reason);
  expect(error.message).toMatch(new RegExp(`redis 127\\.0\\.0\\.1:${port}.*ECONNREFUSED`));
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("topsecret");
});
