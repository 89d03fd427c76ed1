import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clients } from "../matrix/rows.ts";
import { app, CALL, fixedPrice, fixedUsage, meterOf, status } from "../support/asking.ts";
import { selfSigned } from "../support/certificate.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";
import { secureProvider } from "../support/secure-provider.ts";

/** They take no signal, and who leaves their loop does not hang up. */
const NEVER_ABORTS = new Set(["llamaindex"]);

/** They ask for no usage in a stream: it is counted from its 20 bytes of text, a token for every 3. */
const ASKS_NO_USAGE = new Set(["llamaindex"]);
const COUNTED = 0.000875;

const certificate = selfSigned();

interface Seen {
  readonly text?: string;
  readonly error?: { readonly name: string; readonly status: number | null; readonly message: string };
}

const ROOM = "tenant.feature.user.run.cost > $1 -> deny\nfeature.calls.total > 100 -> deny\n";
const NO_ROOM = "feature.calls.total > 0 -> deny\n";

describe.each(clients.map((row) => [row.client, row] as const))("%s", (client, { speaks, tls = false }) => {
  let provider: FakeProvider;
  let at: Project;
  beforeAll(async () => {
    if (tls && certificate === null) throw new Error("openssl is needed: it makes the certificate of the provider");
    provider = tls && certificate !== null ? await secureProvider(certificate) : await fakeProvider();
    at = project({
      files: { "app.mjs": app("matrix"), "cert.pem": certificate?.cert ?? "" },
      config: { prices: fixedPrice },
      env: { BUDGET_GUARD_HOSTS: `${provider.host}=${speaks}`, ...(tls && { NODE_EXTRA_CA_CERTS: "cert.pem" }) },
    });
  });
  afterAll(async () => {
    await provider.close();
    at.remove();
  });
  beforeEach(() => {
    provider.forget();
    provider.behave(behaviour);
  });

  const behaviour = { usage: fixedUsage, ...(speaks === "mistral" ? ({ includeUsage: "last" } as const) : {}) };
  const identity = (tenant: string, mode: string) => ({ tenant, run: `job-of-${tenant}`, feature: client, user: mode });

  async function run(mode: string, tenants: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const identities = JSON.stringify(tenants.map((tenant) => identity(tenant, mode)));
    const end = await at.run({ args: [provider.url, client, mode, identities], env });
    return { seen: end.json<Seen[]>(), stderr: end.stderr };
  }
  const spent = async (mode: string, tenants: readonly string[]) => {
    const found = await status(at);
    return tenants.map((tenant) => meterOf(found, "tenant.feature.user.run.cost", identity(tenant, mode)));
  };

  it.each(["json", "stream"])("gets its answers as %s, each charged to whom it is for", async (mode) => {
    at.write("policies/test.budget", ROOM);
    const tenants = ["acme", "globex"];
    const { seen } = await run(mode, tenants);
    expect(seen).toEqual(tenants.map(() => ({ text: "Hello from loopback." })));
    expect(provider.requests).toHaveLength(2);
    const cost = mode === "stream" && ASKS_NO_USAGE.has(client) ? COUNTED : CALL;
    expect(await spent(mode, tenants)).toEqual(tenants.map(() => ({ spent: cost, held: 0 })));
  });

  it.each(["json", "stream"])("is refused in one attempt, as %s, and shows why", async (mode) => {
    at.write("policies/test.budget", NO_ROOM);
    const { seen, stderr } = await run(mode, ["acme"], { BUDGET_GUARD_LOG: "info" });
    // Some show the body as it came.
    expect(seen[0]?.error?.message.replaceAll('\\"', '"')).toContain(
      `budget-guard refused this call: feature "${client}"`,
    );
    expect(stderr.match(/refused a call/g), stderr).toHaveLength(1);
    expect(provider.requests).toHaveLength(0);
  });

  it.runIf(!NEVER_ABORTS.has(client))("is charged for what came when it gives up", async () => {
    at.write("policies/test.budget", ROOM);
    // Of responses six events come before the second piece of text, of the others fewer.
    const long = client === "openai responses" || client === "@openai/agents";
    provider.behave({ ...behaviour, hang: { afterEvents: long ? 6 : 4 } });
    await run("abort", ["acme"]);
    expect(provider.requests).toHaveLength(1);
    const [bill] = await spent("abort", ["acme"]);
    expect(bill?.held).toBe(0);
    expect(bill?.spent).toBeGreaterThan(0);
    expect(bill?.spent).toBeLessThanOrEqual(COUNTED);
  });
});
