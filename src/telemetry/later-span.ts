import type { Tracer } from "@opentelemetry/api";
import type { CostConvention } from "../config.ts";
import type { Api } from "./api.ts";
import { conventional, guard } from "./attributes.ts";
import { costAttributes, totalAttributes, usageAttributes } from "./bill.ts";
import { identityAttributes, operationAttributes } from "./request.ts";
import type { Later } from "./telemetry.ts";
import { compact, shortened } from "./values.ts";

/**
 * A span of its own for what work cost that went on after its call was answered, linked to the span of that call: by then
 * that one has ended, and maybe in another process. It is no inference, so it names no operation; `at` is in ms since 1970.
 */
export function laterSpan(
  api: Api,
  tracer: Tracer,
  later: Later,
  at: number,
  conventions: readonly CostConvention[],
): void {
  const { call, work, bill, judgedAt, began } = later;
  const { [conventional.operation]: _operation, ...asked } = operationAttributes(call);
  const parts = { ...bill.cost, wasted: 0 };
  const link = began === null ? null : { context: { ...began, isRemote: true } };
  const span = tracer.startSpan(
    "budget_guard.settle",
    {
      kind: api.SpanKind.INTERNAL,
      startTime: at,
      ...(link !== null && { links: [link] }),
      attributes: compact({
        ...asked,
        ...identityAttributes(call),
        [conventional.responseModel]: bill.model.startsWith("(") ? undefined : bill.model,
        [guard.workId]: shortened(work),
        [guard.workDuration]: Math.max(0, at - judgedAt) / 1000,
        [guard.costSource]: bill.source,
        [guard.unpriced]: bill.unpriced ? true : undefined,
        ...usageAttributes(bill),
        ...totalAttributes(parts, conventions),
        ...costAttributes(parts),
      }),
    },
    api.ROOT_CONTEXT,
  );
  span.end(at);
}
