import {
  AggregationTemporality,
  type DataPoint,
  type ExponentialHistogram,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { describe, expect, test } from "vitest";
import { metrics as names } from "../../src/telemetry/attributes.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { Arrival, Decided } from "../../src/telemetry/telemetry.ts";
import { aCall } from "../support/a-call.ts";
import { decided, ended, fired, refused, T0, verdict, warn } from "./scene.ts";

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
  readonly count: number | null;
}

/** A real meter provider whose metrics are read on demand. */
function meterProvider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    async read(): Promise<ReadonlyMap<string, readonly Point[]>> {
      exporter.reset();
      await reader.forceFlush();
      const found = new Map<string, readonly Point[]>();
      for (const { metrics } of exporter.getMetrics()[0]?.scopeMetrics ?? []) {
        for (const metric of metrics)
          found.set(
            metric.descriptor.name,
            metric.dataPoints.map((point) => pointOf(point)),
          );
      }
      return found;
    },
  };
}

function pointOf({ attributes, value }: DataPoint<number | Histogram | ExponentialHistogram>): Point {
  return typeof value === "number"
    ? { attributes, value, count: null }
    : { attributes, value: value.sum ?? 0, count: value.count };
}

const arrival: Arrival = { at: T0, traceId: null, baggage: {}, context: null };

function stage(initial: ReturnType<typeof meterProvider> | null = meterProvider()) {
  let current = initial;
  const metrics = new Metrics({ meters: () => current?.provider ?? null, version: "1.2.3" });
  return {
    metrics,
    read: async () => (await current?.read()) ?? new Map<string, readonly Point[]>(),
    register(next: ReturnType<typeof meterProvider>) {
      current = next;
    },
    call(one: Decided = decided(), own = true) {
      metrics.begin(one);
      metrics.end(arrival, one, ended(), own);
    },
  };
}

describe("an allowed call", () => {
  test("counts its cost by part, under provider, model and feature, and no tenant", async () => {
    const { call, read } = stage();
    call(decided({ call: aCall({ subject: { ...aCall().subject, feature: "research" } }) }));
    const found = await read();
    const parts = found.get("budget_guard.cost") ?? [];
    expect(
      Object.fromEntries(parts.map(({ attributes, value }) => [attributes["budget_guard.cost.part"], value])),
    ).toEqual({
      input: 0.0005,
      output: 0.002,
      cache_read: 0.0001,
      reasoning: 0.001,
    });
    expect(parts[0]?.attributes).toEqual({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-5",
      "budget_guard.feature": "research",
      "budget_guard.cost.part": "input",
      "budget_guard.attempt": "first",
    });
    const all = JSON.stringify([...found].map(([, points]) => points));
    expect(all).not.toContain("acme");
  });

  test("is timed, priced and measured by the conventions, where no other instrumentation does it", async () => {
    const { call, read } = stage();
    call();
    const found = await read();
    expect(found.get("gen_ai.client.operation.duration")).toMatchObject([{ value: 1.5, count: 1 }]);
    expect(found.get("gen_ai.client.operation.cost")).toMatchObject([{ value: 0.0036, count: 1 }]);
    expect(found.get("gen_ai.client.token.usage")).toMatchObject([
      { value: 1_200, attributes: { "gen_ai.token.type": "input" } },
      { value: 300, attributes: { "gen_ai.token.type": "output" } },
    ]);
    const other = stage();
    other.call(decided(), false);
    const names = [...(await other.read()).keys()];
    expect(names).toContain("budget_guard.cost");
    expect(names.filter((name) => name.startsWith("gen_ai."))).toEqual([]);
  });

  test("that failed says how, and that it was a retry", async () => {
    const { metrics, read } = stage();
    const retry = decided({ attemptNumber: 2 });
    metrics.begin(retry);
    metrics.end(arrival, retry, ended({ outcome: { kind: "provider-error", status: 429 } }), true);
    const found = await read();
    expect(found.get("gen_ai.client.operation.duration")?.[0]?.attributes["error.type"]).toBe("429");
    expect(found.get("budget_guard.cost")?.[0]?.attributes["budget_guard.attempt"]).toBe("retry");
  });

  test("that cannot be metered has no cost, which is not a cost of $0", async () => {
    const { call, read } = stage();
    call(decided({ call: aCall({ spending: "unmetered", operation: "other" }) }));
    expect((await read()).has("budget_guard.cost")).toBe(false);
  });
});

describe("a decision", () => {
  test("is counted with what was said, what was done and by which rule", async () => {
    const { call, metrics, read } = stage();
    call();
    call();
    call(decided({ verdict: verdict("warn", { decided: fired("80%", warn), warnings: [fired("80%", warn)] }) }));
    metrics.begin(refused());
    const found = await read();
    expect(
      found
        .get("budget_guard.decisions")
        ?.map(({ attributes, value }) => [
          attributes["budget_guard.decision"],
          attributes["budget_guard.verdict"],
          attributes["budget_guard.rule.id"],
          attributes["budget_guard.mode"],
          value,
        ]),
    ).toEqual([
      ["allow", "allow", undefined, "enforce", 2],
      ["warn", "warn", "80%", "enforce", 1],
      ["deny", "deny", "hourly", "enforce", 1],
    ]);
    expect(found.get("budget_guard.cost.prevented")).toMatchObject([
      { value: 0.01, attributes: { "budget_guard.rule.id": "hourly" } },
    ]);
  });

  test("is timed without the waits that rules asked for", async () => {
    const { metrics, read } = stage();
    metrics.begin(decided({ checkSeconds: 0.003, waited: { hold: 1.5, backoff: 0.5 } }));
    const [point] = (await read()).get("budget_guard.check.duration") ?? [];
    expect(point?.value).toBe(0.003);
    expect(point?.attributes).toEqual({ "budget_guard.store": "memory", "budget_guard.decision": "hold" });
  });

  test("of a flood of features and models makes a bounded number of series", async () => {
    const { call, read } = stage();
    for (let index = 0; index < 300; index += 1) {
      const subject = { ...aCall().subject, feature: `feature-${index}` };
      call(decided({ call: aCall({ subject, model: `m${index}`, modelAsSent: `m${index}` }) }));
    }
    const found = await read();
    expect(found.get("budget_guard.decisions")).toHaveLength(101);
    const others = found
      .get("budget_guard.cost")
      ?.filter(({ attributes }) => attributes["budget_guard.feature"] === "_other");
    expect(others?.map(({ attributes }) => attributes["gen_ai.request.model"])).toContain("_other");
  });
});

describe("a meter provider", () => {
  test("that comes late counts from then on, and one that takes its place does too", async () => {
    const { call, read, register } = stage(null);
    call();
    const first = meterProvider();
    register(first);
    call();
    expect((await read()).get("budget_guard.decisions")).toMatchObject([{ value: 1 }]);
    const second = meterProvider();
    register(second);
    call();
    expect((await read()).get("budget_guard.decisions")).toMatchObject([{ value: 1 }]);
    expect((await first.read()).get("budget_guard.decisions")).toMatchObject([{ value: 1 }]);
  });
});

describe("the policy", () => {
  const event = { files: ["a.budget"], hash: "222222222222", rules: 3, diagnostics: 0 };

  test("in force is said with every export, whether it changed or not", async () => {
    const { call, metrics, read } = stage();
    call();
    const info = async () =>
      (await read()).get("budget_guard.info")?.map(({ attributes, value }) => [value, attributes]);
    const about = (value: number, hash: string) => [
      value,
      { version: "1.2.3", "budget_guard.policy.hash": hash, "budget_guard.mode": "enforce" },
    ];
    expect(await info()).toEqual([about(1, "0123456789ab")]);
    metrics.policy({ kind: "reloaded", ...event }, "enforce");
    // A call that was judged by the policy before.
    call();
    expect(await info()).toEqual([about(0, "0123456789ab"), about(1, "222222222222")]);
  });

  test("that changed is counted, taken up or not", async () => {
    const { metrics, read } = stage();
    metrics.policy({ kind: "kept", ...event, diagnostics: 2 }, "enforce");
    metrics.policy({ kind: "reloaded", ...event }, "enforce");
    metrics.policy({ kind: "reloaded", ...event }, "enforce");
    expect(
      (await read()).get("budget_guard.policy.reloads")?.map(({ attributes, value }) => [attributes.outcome, value]),
    ).toEqual([
      ["kept", 1],
      ["reloaded", 2],
    ]);
  });
});

test("every metric has a name of the table", async () => {
  const { call, metrics, read } = stage();
  call();
  metrics.begin(refused());
  metrics.policy({ kind: "kept", files: [], hash: "x", rules: 0, diagnostics: 1 }, "shadow");
  metrics.unseen({ provider: "openai", host: "x", port: 1, transport: "http", sent: true, refused: false, rule: null });
  expect([...(await read()).keys()].sort()).toEqual(Object.values(names).sort());
});
