import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as api from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-node";
import { beforeAll, describe, expect, test } from "vitest";
import { readAuditLine } from "../../src/telemetry/audit-line.ts";
import type { Later } from "../../src/telemetry/telemetry.ts";
import { aCall } from "../support/a-call.ts";
import { decided, ended, only, type Stage, stage, T0, useContexts } from "./scene.ts";

beforeAll(useContexts);

const batch = aCall({ attempt: "one", operation: "batch" });
const HOUR = 3_600_000;
const later = (began: Later["began"] = null): Later => ({
  call: batch,
  work: "batch_1",
  bill: ended().bill,
  judgedAt: T0,
  began,
});

/** A call that begins work, up to its answer; where its span is. */
function begun({ telemetry }: Stage): Later["began"] {
  const sight = telemetry.begin(telemetry.arrive(), decided({ call: batch }));
  const place = sight.place?.() ?? null;
  sight.end(ended({ work: "batch_1" }));
  return place;
}

describe("work that goes on after its call was answered", () => {
  test("has no cost on the span of its call, but its name", () => {
    const at = stage();
    begun(at);
    const { attributes } = only(at.spans());
    expect(attributes["budget_guard.work.id"]).toBe("batch_1");
    const costs = Object.keys(attributes).filter((name) => /cost|usage/.test(name) && !/estimate/.test(name));
    expect(costs).toEqual([]);
    expect(attributes["budget_guard.estimate.cost"]).toBe(0.01);
  });

  test("has a span of its own at its end, linked to that of the call, and the whole cost stands on it", () => {
    const at = stage();
    const place = begun(at);
    at.pass(2 * HOUR);
    at.telemetry.later(later(place));
    const [call, settled] = at.spans();
    expect(settled).toMatchObject({
      name: "budget_guard.settle",
      kind: api.SpanKind.INTERNAL,
      attributes: {
        "budget_guard.work.id": "batch_1",
        "budget_guard.work.duration": 7_200,
        "budget_guard.cost.source": "local",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1_200,
        "gen_ai.usage.cost": 0.0036,
        "budget_guard.cost.output": 0.002,
      },
    });
    expect(settled?.attributes["gen_ai.operation.name"]).toBeUndefined();
    expect(settled?.links.map(({ context }) => [context.traceId, context.spanId])).toEqual([
      [call?.spanContext().traceId, call?.spanContext().spanId],
    ]);
    expect(settled?.spanContext().traceId).not.toBe(call?.spanContext().traceId);
  });

  test("has a span without a link where its call had none", () => {
    const at = stage();
    at.telemetry.later(later());
    expect(only(at.spans()).links).toEqual([]);
    const off = stage({ otel: "off" });
    expect(begun(off)).toBeNull();
    off.telemetry.later(later());
    expect(off.spans()).toEqual([]);
  });

  test("can be pointed at also where the span of its call is not sampled", () => {
    expect(begun(stage({ sampler: new AlwaysOffSampler() }))).toMatchObject({ traceFlags: 0 });
  });

  test("has a line in the audit log that tells its bill, and one of its call that tells what was expected", async () => {
    const folder = mkdtempSync(join(tmpdir(), "budget-guard-later-"));
    try {
      const audit = join(folder, "audit.jsonl");
      const at = stage({ audit });
      const place = begun(at);
      at.pass(HOUR);
      at.telemetry.later(later(place));
      await at.telemetry.flush();
      const [call, settled, ...more] = readFileSync(audit, "utf8").trimEnd().split("\n");
      expect(more).toEqual([]);
      const line = readAuditLine(call ?? "");
      expect(line.kind === "line" && [line.line.operation, line.line.work]).toEqual(["batch", "batch_1"]);
      expect(readAuditLine(settled ?? "").kind).toBe("settlement");
      expect(JSON.parse(settled ?? "")).toMatchObject({
        v: 1,
        kind: "settlement",
        time: "2026-11-22T11:00:00.000Z",
        seconds: 3_600,
        attempt: "one",
        work: "batch_1",
        subject: { tenant: "acme" },
        bill: { source: "local", cost: { total: 0.0036 }, usage: { inputTokens: 1_200 } },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is counted in metrics once: its duration as a call, its cost and tokens at its end", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: HOUR });
    const meters = new MeterProvider({ readers: [reader] });
    const total = async (name: string): Promise<number> => {
      exporter.reset();
      await reader.forceFlush();
      const all = exporter.getMetrics()[0]?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
      let sum = 0;
      for (const { descriptor, dataPoints } of all) {
        if (descriptor.name !== name) continue;
        for (const { value } of dataPoints) sum += typeof value === "number" ? value : (value.sum ?? 0);
      }
      return sum;
    };
    const at = stage({ meters });
    begun(at);
    expect([await total("budget_guard.cost"), await total("gen_ai.client.token.usage")]).toEqual([0, 0]);
    expect(await total("gen_ai.client.operation.duration")).toBe(1.5);
    at.telemetry.later(later());
    expect(await total("budget_guard.cost")).toBeCloseTo(0.0036, 9);
    expect(await total("gen_ai.client.operation.cost")).toBeCloseTo(0.0036, 9);
    expect(await total("gen_ai.client.token.usage")).toBe(1_500);
    expect(await total("gen_ai.client.operation.duration")).toBe(1.5);
    await meters.shutdown();
  });
});
