import { describe, expect, it } from "vitest";
import { gateKey, meterKey, readGateKey, readMeterKey } from "../src/keys.ts";

const meter = {
  id: "tenant.feature.cost.daily",
  scopes: ["tenant", "feature"],
  metric: "cost",
  window: { kind: "daily", timezone: "UTC" },
} as const;

describe("keys of the ledger", () => {
  it("name a meter and the values of its scopes, absent ones as (none)", () => {
    expect(meterKey(meter, { tenant: "acme" })).toBe("tenant.feature.cost.daily|acme|(none)");
  });

  it("are read back, whatever the values hold", () => {
    const subject = { tenant: "a|b,c=d%7C", feature: "über/x" };
    expect(readMeterKey(meterKey(meter, subject))).toEqual({ id: meter.id, values: [subject.tenant, subject.feature] });
    const key = gateKey("loop: run.calls > 3 -> deny for 10m", ["tenant", "feature"], subject);
    expect(readGateKey(key)).toEqual({ rule: "loop: run.calls > 3 -> deny for 10m", scope: subject });
  });

  it("keep values apart that would run together", () => {
    const a = meterKey(meter, { tenant: "x|y", feature: "z" });
    const b = meterKey(meter, { tenant: "x", feature: "y|z" });
    expect(a).not.toBe(b);
  });

  it("tell a gate closed by hand, and one closed for everyone", () => {
    expect(readGateKey(gateKey("", ["tenant"], { tenant: "acme" }))).toEqual({ rule: null, scope: { tenant: "acme" } });
    expect(readGateKey(gateKey("", [], {}))).toEqual({ rule: null, scope: {} });
  });
});
