import { dirname, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { type ApiSource, apiSource } from "./api.ts";
import { auditEntry, auditSettlement } from "./audit-entry.ts";
import { AuditFile } from "./audit-file.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { createSpans, type Safely } from "./spans.ts";
import type { Telemetry } from "./telemetry.ts";

export interface TelemetryOptions {
  readonly config: Pick<Config, "otel" | "telemetry" | "baggage" | "root" | "audit" | "mode">;
  readonly log: Log;
  readonly clock: Clock;
  /** Version of this package: that of the instrumentation scope. */
  readonly version: string;
  /** A source with providers of its own, instead of what is registered in the process. */
  readonly source?: ApiSource;
}

const UNCOUNTED = "a call could not be counted in metrics";
const UNWRITTEN = "a call could not be written to the audit log";

/**
 * Spans and metrics through whatever OpenTelemetry SDK the process has, and lines in the audit log. Without an SDK and an
 * audit log it costs a few property reads a call.
 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { config, log, clock, version } = options;
  const folders = [config.root, process.cwd(), dirname(resolve(process.argv[1] ?? "."))];
  const source = options.source ?? apiSource(folders, log);
  const mode = config.mode === "shadow" ? "shadow" : "enforce";

  const safely: Safely = (what, otherwise, fn) => {
    try {
      return fn();
    } catch (error) {
      log.once(`telemetry.${what}`, "warn", `${what}: ${String(error)}`);
      return otherwise;
    }
  };

  const autostart = options.source === undefined;
  const spans = createSpans({ config, folders, source, autostart, log, clock, version, safely });
  const metrics = config.otel === "off" ? null : new Metrics({ meters: () => source.meters(), version });
  const audit = config.audit === null ? null : new AuditFile(config.audit.file, log);

  return Object.freeze({
    arrive: () => spans.arrive(),

    begin(arrival, decided) {
      const sight = spans.begin(arrival, decided);
      safely(UNCOUNTED, undefined, () => metrics?.begin(decided));
      if (decided.refused) safely(UNWRITTEN, undefined, () => audit?.add(auditEntry(arrival, decided, null)));
      // Known now only: the other instrumentation's span may have ended before the bill comes.
      const own = metrics === null || safely(UNCOUNTED, true, () => spans.isOwn(arrival));
      return {
        run: (fn) => sight.run(fn),
        place: () => sight.place?.() ?? null,
        end(ended) {
          sight.end(ended);
          safely(UNCOUNTED, undefined, () => metrics?.end(arrival, decided, ended, own));
          safely(UNWRITTEN, undefined, () => audit?.add(auditEntry(arrival, decided, ended)));
        },
      };
    },

    later(later) {
      spans.later(later);
      safely(UNCOUNTED, undefined, () => metrics?.later(later));
      safely(UNWRITTEN, undefined, () => audit?.add(auditSettlement(later, clock())));
    },

    unseen(arrival, event) {
      spans.unseen(arrival, event);
      safely(UNCOUNTED, undefined, () => metrics?.unseen(event));
    },

    policy(event) {
      spans.policy(event);
      safely(UNCOUNTED, undefined, () => metrics?.policy(event, mode));
    },

    async flush() {
      await Promise.all([spans.flush(), audit?.flush()]);
    },
  } satisfies Telemetry);
}
