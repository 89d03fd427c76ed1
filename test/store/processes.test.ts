import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { freePort, type RedisServer, startRedis } from "../support/redis.ts";
import { above, aCharge, aMeter, aRequest, aSettlement, total, unique } from "./asks.ts";
import { buildWorker, removeWorker, startWorker } from "./workers.ts";

const key = "tenant.cost.total|acme";
const asks = [{ key, window: total }];
const runs = { key: "tenant.runs.total|acme", window: total };
const calls = (count: number, limit: number, holdMs = 60_000) =>
  Array.from({ length: count }, () =>
    aRequest({ holdMs, meters: [aMeter({ key, window: total, floor: 4 })], stops: [above(limit)] }),
  );
const bill = () => aSettlement(unique("bill"), Date.now(), { charges: [aCharge({ key, window: total, amount: 7 })] });

beforeAll(buildWorker);
afterAll(removeWorker);

/** What real processes on one ledger must do, whichever engine it has. */
function shared(name: string, address: () => string): void {
  const look = async () => {
    const store = await openStore(address(), { root: "/", clock: Date.now });
    const [reading] = await store.read(asks);
    await store.shut();
    return { spent: reading?.spent, held: reading?.held };
  };

  describe(`processes on ${name}`, () => {
    test("let exactly as many of 400 racing calls go as the limit holds (litellm #6288)", async () => {
      const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(address())));
      const answers = await Promise.all(workers.map((worker) => worker.judge(calls(100, 1_000))));
      expect(answers.flat().filter(Boolean)).toHaveLength(100);
      expect(await look()).toEqual({ spent: 0, held: 1_000 });
      expect(await Promise.all(workers.map((worker) => worker.end()))).toEqual([0, 0, 0, 0]);
    });

    test("let exactly as many runs start as the limit holds, and their calls go on", async () => {
      const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(address())));
      const requests = Array.from({ length: 100 }, (_, n) =>
        aRequest({
          run: `r${n % 50}`,
          meters: [aMeter({ key: runs.key, window: total, add: "run" })],
          stops: [above(8)],
        }),
      );
      const answers = await Promise.all(workers.map((worker) => worker.judge(requests)));
      const started = new Set(answers.flatMap((held) => held.flatMap((one, n) => (one ? [n % 50] : []))));
      expect(started.size).toBe(8);
      // Whoever came after the last place was taken met the same eight.
      const again = await workers[0]?.judge(requests);
      expect(new Set(again?.flatMap((one, n) => (one ? [n % 50] : [])))).toEqual(started);
      await Promise.all(workers.map((worker) => worker.end()));
      const store = await openStore(address(), { root: "/", clock: Date.now });
      expect((await store.read([runs]))[0]).toMatchObject({ spent: 8, held: 0 });
      await store.shut();
    });

    test("go by a limit that another process sets, from its next call on", async () => {
      const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(address())));
      const store = await openStore(address(), { root: "/", clock: Date.now });
      const kept = {
        tests: [
          {
            kind: "kept",
            left: { kind: "meter", meter: 0 },
            limits: [0],
            otherwise: 0,
            millionths: 1_000_000,
            orEqual: false,
          },
        ],
        closes: null,
      } as const;
      const go = async () => {
        const request = () => ({
          ...aRequest({ limits: ["q|t=a"], stops: [kept] }),
          meters: [aMeter({ key, window: total })],
        });
        const answers = await Promise.all(workers.map((worker) => worker.judge(Array.from({ length: 20 }, request))));
        return answers.flat().filter(Boolean).length;
      };
      expect(await go()).toBe(0);
      await store.setLimit("q|t=a", 250);
      expect(await go()).toBe(25);
      await store.setLimit("q|t=a", Number.POSITIVE_INFINITY);
      expect(await go()).toBe(80);
      await store.setLimit("q|t=a", null);
      expect(await go()).toBe(0);
      expect((await store.read(asks))[0]).toMatchObject({ spent: 0, held: 1_050 });
      await store.shut();
      await Promise.all(workers.map((worker) => worker.end()));
    });

    test("lose no spend and keep no hold when one is killed mid-call", async () => {
      const [doomed, other] = await Promise.all([startWorker(address()), startWorker(address())]);
      expect(await doomed.judge(calls(3, 30, 1_000))).toEqual([true, true, true]);
      await doomed.kill();
      expect(await other.judge(calls(1, 30))).toEqual([false]);
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      expect(await other.judge(calls(1, 30))).toEqual([true]);
      expect(await look()).toEqual({ spent: 12, held: 10 });
      await other.end();
    });

    test("can wait until their store is shut, and then go on", async () => {
      const worker = await startWorker(address());
      expect(await worker.shutAndEnd()).toBe(0);
    });

    test("deliver a last bill before they end, and end", async () => {
      const worker = await startWorker(address());
      expect(await worker.settleAndEnd(bill())).toBe(0);
      expect(await look()).toEqual({ spent: 7, held: 0 });
    });
  });
}

describe.runIf(loadSqlite() !== undefined)("with node:sqlite", () => {
  let folder: string;
  let turn = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "processes-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  let last = "";
  shared("one file", () => {
    // A ledger of its own for each test.
    const name = expect.getState().currentTestName ?? "";
    if (name !== last) turn++;
    last = name;
    return `file:${join(folder, `${turn}`, "ledger.db")}`;
  });
});

describe("with a real Redis", () => {
  let server: RedisServer;
  let db = 0;
  let last = "";
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  shared("one Redis", () => {
    const name = expect.getState().currentTestName ?? "";
    if (name !== last) db++;
    last = name;
    return `${server.url}/${db}`;
  });
});

test("a Redis behind TLS is reached where its certificate is trusted, and only there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const wishes = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  execFileSync("openssl", [...wishes.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  const port = await freePort();
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
  const server = await startRedis(undefined, ["--tls-port", `${port}`, "--tls-auth-clients", "no", ...files]);
  const url = `rediss://localhost:${port}`;
  const trusting = await startWorker(url, { NODE_EXTRA_CA_CERTS: cert });
  expect(trusting.opened).toBe("ready");
  expect(await trusting.judge(calls(2, 10))).toEqual([true, false]);
  expect(await trusting.settleAndEnd(bill())).toBe(0);
  expect((await startWorker(url)).opened).toMatch(/StoreDown: .*certificate/);
  await server.stop();
  rmSync(folder, { recursive: true });
});

test.runIf(loadSqlite() === undefined)("a second process on a journal is told both ways out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "processes-"));
  const url = `file:${join(folder, "ledger.db")}`;
  const first = await startWorker(url);
  const second = await startWorker(url);
  expect(first.opened).toBe("ready");
  expect(second.opened).toMatch(/StoreDown: .*in use by process \d+.*Node 22\.13.*BUDGET_GUARD_STORE=redis/s);
  await first.judge(calls(1, 1_000));
  await first.kill();
  const third = await startWorker(url);
  expect(third.opened).toBe("ready");
  expect(await third.settleAndEnd(bill())).toBe(0);
  const store = await openStore(url, { root: "/", clock: Date.now });
  expect((await store.read(asks))[0]).toMatchObject({ spent: 7, held: 10 });
  await store.shut();
  rmSync(folder, { recursive: true });
});
