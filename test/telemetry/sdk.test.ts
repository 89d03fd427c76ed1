import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHAT, POST, repository, useTheatre } from "./theatre.ts";

const { built, names, start } = useTheatre();

describe("what is missing", () => {
  test("an endpoint without any SDK is one line that says what to install", async () => {
    const { code, stderr } = await start("refuse(); await call(); refuse();", { bare: true }).finished;
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("OTEL_EXPORTER_OTLP_ENDPOINT is set");
    expect(stderr).toContain("npm install @opentelemetry/sdk-node @opentelemetry/instrumentation-undici");
  });

  test("no API at all is no traces, and a line for those who ask", async () => {
    const registered = `globalThis[Symbol.for("opentelemetry.js.api.1")] = { version: "1.9.1", trace: { getTracer() {} } };`;
    const wishes = { bare: true, env: { BUDGET_GUARD_LOG: "info" } };
    const { code, stderr } = await start(`${registered} refuse(); await call(); refuse();`, wishes).finished;
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("npm install @opentelemetry/api")]);
  });

  test("an API beside us that is newer than the application's is blind, so the application's own is taken", async () => {
    const newer = join(built, "node_modules", "@opentelemetry", "api");
    cpSync(join(repository, "node_modules", "@opentelemetry", "api"), newer, { recursive: true });
    const version = join(newer, "build", "src", "version.js");
    writeFileSync(version, readFileSync(version, "utf8").replace(/VERSION = '[^']*'/, "VERSION = '1.99.0'"));
    const running = start(
      `const { NodeSDK } = await import("@opentelemetry/sdk-node");
      const sdk = new NodeSDK();
      sdk.start();
      refuse();
      await sdk.shutdown();`,
    );
    const { code, stderr } = await running.finished;
    rmSync(join(built, "node_modules"), { recursive: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
  });

  test("a collector that does not answer delays the end by seconds at most and changes nothing else", async () => {
    const began = Date.now();
    const { code, stderr } = await start(`refuse();`, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" } })
      .finished;
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("spans could not be delivered")]);
    expect(Date.now() - began).toBeLessThan(8_000);
  });

  test("a second instrumentation of undici is not made where somebody traces it already", async () => {
    await start(`
      const { subscribe } = await import("node:diagnostics_channel");
      subscribe("undici:request:create", () => {});
      refuse(); await traced(); await call();`).finished;
    expect(names()).toEqual([CHAT, CHAT]);
  });

  test("the guard's own net below the hooks is nobody who traces, and stays where it is", async () => {
    const { stdout } = await start(`
      const { channel } = await import("node:diagnostics_channel");
      const created = channel("undici:request:create");
      let heard = 0;
      const listener = () => { heard += 1; };
      created.subscribe(listener);
      created[Symbol.for("budget-guard.subscriber")] = listener;
      refuse(); await traced(); await call();
      console.log("heard", heard > 0);`).finished;
    expect(names().toSorted()).toEqual([POST, CHAT, CHAT].toSorted());
    expect(stdout).toBe("heard true\n");
  });
});
