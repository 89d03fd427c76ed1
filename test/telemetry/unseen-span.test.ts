import * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import type { Unseen } from "../../src/telemetry/telemetry.ts";
import { only, stage, useContexts } from "./scene.ts";

beforeAll(useContexts);

const unseen: Unseen = {
  provider: "openai",
  host: "api.openai.com",
  port: 443,
  transport: "undici",
  sent: false,
  refused: false,
  rule: null,
};
const attributes = {
  "gen_ai.provider.name": "openai",
  "server.address": "api.openai.com",
  "server.port": 443,
  "budget_guard.transport": "undici",
  "budget_guard.decision": "allow",
  "budget_guard.sent": false,
};

describe("a request that no hook saw", () => {
  test("is an event on the span around it", () => {
    const { telemetry, tracer, spans } = stage();
    tracer.startActiveSpan("work", (work) => {
      telemetry.unseen(telemetry.arrive(), unseen);
      work.end();
    });
    const span = only(spans());
    expect(span.name).toBe("work");
    expect(span.events).toMatchObject([{ name: "budget_guard.unseen", attributes }]);
  });

  test("is a span of its own where none is active", () => {
    const { telemetry, spans } = stage();
    telemetry.unseen(telemetry.arrive(), unseen);
    const span = only(spans());
    expect(span).toMatchObject({ name: "budget_guard.unseen", kind: api.SpanKind.INTERNAL, attributes });
    expect(span.status.code).toBe(api.SpanStatusCode.UNSET);
  });

  test("is an error there where it was refused, and names the rule", () => {
    const { telemetry, spans } = stage();
    telemetry.unseen(telemetry.arrive(), { ...unseen, refused: true, rule: "call.unmetered -> deny" });
    expect(only(spans())).toMatchObject({
      status: { code: api.SpanStatusCode.ERROR },
      attributes: {
        "budget_guard.decision": "deny",
        "budget_guard.rule.id": "call.unmetered -> deny",
        "error.type": "budget_exceeded",
      },
    });
  });
});
