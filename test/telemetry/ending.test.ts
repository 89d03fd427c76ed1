import { describe, expect, test } from "vitest";
import { CHAT, useTheatre } from "./theatre.ts";

const { names, sink, start } = useTheatre();

describe("a refusal in a process without an SDK reaches the collector", () => {
  test("when the process ends by itself", async () => {
    const before = Date.now();
    const { code, stderr } = await start(`refuse(); console.log(Date.now());`).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
    const [span] = sink().spans();
    expect(span).toMatchObject({ kind: 3, status: 2, parentSpanId: null });
    expect(span?.attributes).toMatchObject({
      "error.type": "budget_exceeded",
      "budget_guard.rule.id": "hourly",
      "budget_guard.budget.limit": 50,
    });
    expect(span?.events.map((event) => event.name)).toEqual(["budget_guard.deny"]);
    expect(span?.startedAt).toBeGreaterThanOrEqual(before);
    expect(sink().received()).toContain('"an-app"');
  });

  test("with its original time, not that of the SDK's start", async () => {
    const { stdout } = await start(`refuse(); console.log(Date.now());`).finished;
    expect(Math.abs(Number(stdout) - (sink().spans()[0]?.startedAt ?? 0))).toBeLessThan(100);
  });

  test("when nobody catches the error", async () => {
    const { code, stderr } = await start(`refuse(); throw new Error("402 refused");`).finished;
    expect(code).toBe(1);
    expect(stderr).toContain("402 refused");
    expect(names()).toEqual([CHAT]);
    expect(sink().spans()[0]?.status).toBe(2);
  });

  test("when the application calls process.exit", async () => {
    const { code } = await start(`refuse(); process.exit(3);`).finished;
    expect(code).toBe(3);
    expect(names()).toEqual([CHAT]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("when %s ends it, which it still does", async (signal) => {
    const running = start(`refuse(); setInterval(() => {}, 1000); console.log("ready");`);
    await running.printed("ready");
    running.process.kill(signal);
    expect(await running.finished).toMatchObject({ code: null, signal });
    expect(names()).toEqual([CHAT]);
  });

  test("and an application that handles SIGTERM ends as it wishes", async () => {
    const running = start(`
      refuse();
      const alive = setInterval(() => {}, 1000);
      process.on("SIGTERM", () => { console.log("goodbye"); setTimeout(() => clearInterval(alive), 1000); process.exitCode = 7; });
      console.log("ready");`);
    await running.printed("ready");
    running.process.kill("SIGTERM");
    expect(await running.finished).toMatchObject({ code: 7, signal: null, stdout: "ready\ngoodbye\n" });
    expect(names()).toEqual([CHAT]);
  });

  test("when flush is awaited", async () => {
    const running = start(`refuse(); await telemetry.flush(); process.kill(process.pid, "SIGKILL");`);
    expect(await running.finished).toMatchObject({ signal: "SIGKILL" });
    expect(names()).toEqual([CHAT]);
  });
});
