/**
 * Where spans would go: the API, the SDK, and who asks for an exporter.
 */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Config } from "../config.ts";
import { askedBy } from "../telemetry/sdk.ts";
import { type Check, check } from "./doctor-check.ts";
import type { Copy } from "./doctor-clients.ts";
import { manifestOf } from "./doctor-copies.ts";
import type { World } from "./verb.ts";

export const API = "@opentelemetry/api";
export const SDK = "@opentelemetry/sdk-node";

/** What the copies of the API and the SDK in the project, and the environment, make of each other. */
export function telemetryChecks(
  config: Config,
  { env }: World,
  copies: ReadonlyMap<string, readonly Copy[]>,
): readonly Check[] {
  if (config.otel === "off") return [check("telemetry", "ok", "OpenTelemetry", "off (BUDGET_GUARD_OTEL)")];
  const apis = copies.get(API) ?? [];
  return [apiCheck(apis, resolved(config.root, API)), exporterCheck(env, resolved(config.root, SDK), config.otel)];
}

function apiCheck(apis: readonly Copy[], used: Copy | null): Check {
  const advice = "`npm install @opentelemetry/api` makes decisions visible in traces.";
  if (used === null && apis.length === 0)
    return check("telemetry", "warn", API, "not installed: no spans, no metrics", advice);
  const versions = [...new Set(apis.map(({ version }) => version))];
  if (versions.length <= 1) return check("telemetry", "ok", API, used?.version ?? versions[0] ?? "");
  const listed = apis.map(({ version, path }) => `${version} in ${path}`).join("\n");
  const majors = new Set(versions.map((version) => version.split(".")[0]));
  if (majors.size > 1) {
    const only = "Have one major version: what the other one traces is invisible to this one.";
    return check("telemetry", "fail", API, `${apis.length} copies that do not know each other:\n${listed}`, only);
  }
  const dedupe = "`npm dedupe` leaves one; the first that is loaded decides what the others can do.";
  return check("telemetry", "warn", API, `${apis.length} copies:\n${listed}`, dedupe);
}

function exporterCheck(env: World["env"], sdk: Copy | null, otel: Config["otel"]): Check {
  const asked = askedBy({ ...env });
  if (asked === null) {
    const detail = "no exporter is asked for: spans go wherever the application's own SDK sends them";
    return check("telemetry", "ok", "exporter", detail);
  }
  if (sdk !== null) {
    const by = otel === "auto" ? "the guard starts it where the application does not" : "the application must start it";
    return check("telemetry", "ok", "exporter", `${asked}; ${SDK} ${sdk.version}, and ${by}`);
  }
  const advice = "npm install @opentelemetry/sdk-node @opentelemetry/instrumentation-undici";
  return check("telemetry", "warn", "exporter", `${asked} is set, and ${SDK} is not installed`, advice);
}

/** The copy that the application itself would load. */
function resolved(root: string, name: string): Copy | null {
  try {
    const file = createRequire(join(root, "package.json")).resolve(name);
    for (let at = dirname(realpathSync(file)); dirname(at) !== at; at = dirname(at)) {
      const found = manifestOf(at);
      if (found.name === name && found.version !== null) return { version: found.version, path: at };
    }
  } catch {
    // Not installed there.
  }
  return null;
}
