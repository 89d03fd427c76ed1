import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/status.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type Project, project } from "../support/run-app.ts";
import { folder } from "./command.ts";
import { DOLLAR, inLedger, planOf, spend } from "./ledger.ts";

const policy = "tenant.total > $50 -> deny\n";
const password = "correct-horse-battery";
let redis: RedisServer;
let open: RedisServer;
let made: Project;

beforeAll(async () => {
  redis = await startRedis(undefined, ["--requirepass", password]);
  open = await startRedis();
  made = project({ policy, env: { BUDGET_GUARD_STORE: `redis://:${password}@127.0.0.1:${redis.port}` } });
});

afterAll(async () => {
  made.remove();
  await Promise.all([redis.stop(), open.stop()]);
});

describe("a ledger in Redis", () => {
  it("is read, paused and resumed by the command, each process ending by itself", async () => {
    const url = `redis://:${password}@127.0.0.1:${redis.port}`;
    const at = { path: made.folder };
    await inLedger(
      at,
      (store) => spend(store, planOf(policy), { tenant: "acme" }, { cost: 12.5 * DOLLAR }),
      url,
      Date.now,
    );
    const paused = await made.cli("pause", "tenant=acme");
    expect(paused).toMatchObject({ code: 0, stdout: "" });
    const { code, stdout, stderr } = await made.cli("status", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const status: Status = JSON.parse(stdout);
    expect(status.store).toBe(`redis 127.0.0.1:${redis.port}`);
    expect(status.meters).toMatchObject([{ scope: { tenant: "acme" }, spent: 12.5, limit: 50, used: 0.25 }]);
    expect(status.closed).toMatchObject([{ rule: null, scope: { tenant: "acme" }, kind: "paused", until: null }]);
    expect((await made.cli("resume", "tenant=acme")).code).toBe(0);
    expect((await made.cli("resume", "tenant=acme")).code).toBe(1);
  });

  it.each([
    ["a wrong password", "not-the-word"],
    ["a user that it does not know", "someone:not-the-word"],
  ])("that refuses %s ends the command with 3, and the password is not shown", async (_, login) => {
    const { code, out, err } = await folder(policy).run(["status"], {
      env: { BUDGET_GUARD_STORE: `redis://${login.includes(":") ? login : `:${login}`}@127.0.0.1:${redis.port}` },
    });
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain(`redis://127.0.0.1:${redis.port} cannot be reached`);
    expect(err).not.toContain("not-the-word");
  });

  it("that stops answering ends the command with 3 before long", async () => {
    open.process.kill("SIGSTOP");
    try {
      const started = performance.now();
      const { code, err } = await folder(policy).run(["status"], { env: { BUDGET_GUARD_STORE: open.url } });
      expect(code).toBe(3);
      expect(err).toContain(`${open.url} cannot be reached`);
      expect(performance.now() - started).toBeLessThan(8_000);
    } finally {
      open.process.kill("SIGCONT");
    }
  });
});
