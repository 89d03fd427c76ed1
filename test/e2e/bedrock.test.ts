import { afterEach, describe, expect, it } from "vitest";
import { app, eventually, meterOf, status } from "../support/asking.ts";
import { type FakeBedrock, fakeBedrock } from "../support/fake-bedrock.ts";
import { type Project, project } from "../support/run-app.ts";

/** NodeHttpHandler, and the default of the SDK: HTTP/2. */
const PROTOCOLS = ["h1", "h2"] as const;

interface Seen {
  readonly answer?: unknown;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly status: number | null;
    readonly attempts: number | null;
  };
}

let provider: FakeBedrock;
let at: Project;
afterEach(async () => {
  await provider.close();
  at.remove();
});

const SIGNED = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "a-secret" };
const BEARER = { AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-x" };

async function scene(
  protocol: (typeof PROTOCOLS)[number],
  policy: string,
  more: { readonly endless?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  provider = await fakeBedrock(protocol, more);
  at = project({
    policy,
    files: { "app.mjs": app("bedrock") },
    env: {
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: provider.url,
      BUDGET_GUARD_TENANT: "acme",
      ...(more.env ?? SIGNED),
    },
  });
}

/** What has been charged when no call is open any more, in nano-dollars. */
async function charged(): Promise<number> {
  const { spent } = await eventually(
    async () => meterOf(await status(at), "tenant.cost.total"),
    ({ held }) => held === 0,
  );
  return Math.round(spent * 1e9);
}

const ROOM = "tenant.total > $100 -> deny\n";

describe.each(PROTOCOLS)("the client of Bedrock over %s", (protocol) => {
  it.each([
    ["converse", 1000 * 35 + 400 * 8.75 + 200 * 140],
    ["converse stream", 1000 * 35 + 400 * 8.75 + 200 * 140],
    ["invoke", 30 * 3300 + 40 * 16_500],
    ["invoke stream", 30 * 3300 + 40 * 16_500],
    ["count tokens", 0],
  ])("%s: gets what it gets without the guard, and is charged $%d / 1e9", async (name, nano) => {
    await scene(protocol, ROOM);
    const bare = await at.run({ flags: [], args: [protocol, name] });
    const guarded = await at.run({ args: [protocol, name] });
    expect(guarded.stderr).toBe(bare.stderr);
    expect(guarded.json<Seen>().answer).toBeDefined();
    expect(guarded.json<Seen>()).toEqual(bare.json<Seen>());
    const [first, second] = provider.requests;
    expect(provider.requests).toHaveLength(2);
    expect(second?.body).toBe(first?.body);
    expect(Object.keys(second?.headers ?? {}).sort()).toEqual(Object.keys(first?.headers ?? {}).sort());
    expect(await charged()).toBe(nano);
  });

  it.each(["converse", "converse stream", "invoke", "invoke stream"])(
    "%s: is refused in one attempt, by a name and a message that a developer can read",
    async (name) => {
      await scene(protocol, "tenant.calls.total > 0 -> deny\n");
      const { error } = (await at.run({ args: [protocol, name] })).json<Seen>();
      expect(error).toMatchObject({ name: "ServiceQuotaExceededException", status: 402, attempts: 1 });
      expect(error?.message).toMatch(
        /^budget-guard refused this call: tenant "acme" would reach 1 of 0 calls .*policies\/test\.budget:1\)/,
      );
      expect(provider.requests).toHaveLength(0);
    },
  );

  it("is charged to whom each of two calls is for that cross on its connection", async () => {
    await scene(protocol, "tenant.feature.run.cost > $100 -> deny\n");
    const end = await at.run({ args: [protocol, "converse of two"] });
    expect(end.json<Seen>().answer).toEqual(Array(2).fill("Hello from loopback."));
    const found = await status(at);
    const cost = (1000 * 35 + 400 * 8.75 + 200 * 140) / 1e9;
    for (const tenant of ["one", "two"]) {
      const scope = { tenant, run: `job-of-${tenant}`, feature: "talk" };
      expect(meterOf(found, "tenant.feature.run.cost", scope)).toEqual({ spent: cost, held: 0 });
    }
  });

  it("is charged for what streamed where a stream is aborted, and ends as without the guard", async () => {
    await scene(protocol, ROOM, { endless: true });
    const bare = await at.run({ flags: [], args: [protocol, "converse abort"] });
    const guarded = await at.run({ args: [protocol, "converse abort"] });
    expect(guarded.json<Seen>()).toEqual(bare.json<Seen>());
    expect(guarded.json<Seen>().answer).toMatchObject({ text: `${"a".repeat(60)}stop here` });
    const nano = await charged();
    // At least 100 tokens of input, and one for every three bytes that came; not the 4,096 that were held.
    expect(nano).toBeGreaterThanOrEqual(100 * 35 + 23 * 140);
    expect(nano).toBeLessThan(200 * 35 + 23 * 140);
  });

  it("cannot be capped where its request is signed, which is said", async () => {
    await scene(protocol, "tenant.total > $0 -> cap 50 tokens\n");
    const end = await at.run({ args: [protocol, "converse"] });
    expect(end.json<Seen>().answer).toBeDefined();
    expect(JSON.parse(provider.requests[0]?.body ?? "")).not.toHaveProperty("inferenceConfig");
    expect(end.stderr).toContain("the request is signed");
  });

  it("is routed to another model where it brings an API key instead", async () => {
    await scene(protocol, 'tenant.total > $0 -> route to "us.amazon.nova-micro-v1:0"\n', { env: BEARER });
    const end = await at.run({ args: [protocol, "converse", "us.amazon.nova-pro-v1:0"] });
    expect(end.json<Seen>().answer).toBeDefined();
    expect(provider.requests[0]?.path).toBe("/model/us.amazon.nova-micro-v1%3A0/converse");
    expect(await charged()).toBe(66_500);
  });

  it("is capped where it brings an API key instead", async () => {
    await scene(protocol, "tenant.total > $0 -> cap 50 tokens\n", { env: BEARER });
    const end = await at.run({ args: [protocol, "converse"] });
    expect(end.json<Seen>().answer).toBeDefined();
    expect(JSON.parse(provider.requests[0]?.body ?? "")).toMatchObject({ inferenceConfig: { maxTokens: 50 } });
    expect(provider.requests[0]?.headers.authorization).toBe("Bearer bedrock-api-key-x");
  });
});

describe("a model that nothing tells", () => {
  it("is charged the dearest price, and can be refused", async () => {
    await scene("h1", "call.unpriced -> deny\n");
    const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1y2z3";
    const { error } = (await at.run({ args: ["h1", "converse", arn] })).json<Seen>();
    expect(error?.name).toBe("ServiceQuotaExceededException");
    expect(provider.requests).toHaveLength(0);
    at.write("policies/test.budget", ROOM);
    await at.run({ args: ["h1", "converse", arn] });
    expect(provider.requests[0]?.path).toContain("application-inference-profile%2Fx1y2z3");
    expect(await charged()).toBeGreaterThan(1_400 * 10_000);
  });
});
