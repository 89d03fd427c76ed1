import * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import { only, stage, T0, useContexts } from "./scene.ts";
import { useTheatre } from "./theatre.ts";

beforeAll(useContexts);

const kept = { kind: "kept", files: ["a.budget"], hash: "0123456789ab", rules: 3, diagnostics: 2 } as const;

describe("a changed policy", () => {
  test("that is broken is an ERROR span with an event, no child of what happens to be active", () => {
    const { telemetry, tracer, spans } = stage();
    tracer.startActiveSpan("work", (work) => {
      telemetry.policy(kept);
      work.end();
    });
    const span = only(spans().filter(({ name }) => name !== "work"));
    expect(span).toMatchObject({
      name: "budget_guard.policy.reload",
      kind: api.SpanKind.INTERNAL,
      status: {
        code: api.SpanStatusCode.ERROR,
        message: "the changed policy has 2 errors; the last good one (0123456789ab) stays in force",
      },
      attributes: {
        "budget_guard.policy.id": "a.budget",
        "budget_guard.policy.hash": "0123456789ab",
        "budget_guard.policy.rules": 3,
        "budget_guard.policy.diagnostics": 2,
        "error.type": "policy_invalid",
      },
    });
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.startTime[0]).toBe(T0 / 1000);
    expect(span.events.map(({ name }) => name)).toEqual(["budget_guard.policy.reload"]);
  });

  test("that was taken up needs no span, and telemetry that is off makes none", () => {
    const taken = stage();
    taken.telemetry.policy({ ...kept, kind: "reloaded" });
    const off = stage({ otel: "off" });
    off.telemetry.policy(kept);
    expect([...taken.spans(), ...off.spans()]).toEqual([]);
  });
});

describe("in a process without an SDK", () => {
  const { sink, start } = useTheatre();

  test("it is told once there is one", async () => {
    const { code } = await start(`
      telemetry.policy({ kind: "kept", files: ["a.budget"], hash: "0123456789ab", rules: 3, diagnostics: 1 });
      await call();
      await telemetry.flush();`).finished;
    expect(code).toBe(0);
    const told = sink()
      .spans()
      .filter(({ name }) => name === "budget_guard.policy.reload");
    expect(told).toMatchObject([{ status: 2, attributes: { "budget_guard.policy.diagnostics": 1 } }]);
  });
});
