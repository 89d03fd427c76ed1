import { calcPrice, extractUsage, findProvider } from "@pydantic/genai-prices";
import { expect, it } from "vitest";
import { bytes, type Exchange, exchanges, isPresent } from "../golden/golden.ts";
import { asked, askingProject, meterOf, status } from "../support/asking.ts";
import { fakeProvider } from "../support/fake-provider.ts";

/** What the other library makes of a plain JSON answer, in dollars; null where the answer holds more than plain usage. */
function expected(provider: string, { url, response }: Exchange): number | null {
  const text = bytes(response.body).toString();
  if (
    response.status >= 400 ||
    !text.startsWith("{") ||
    /(web|file)_search_call"|"iterations":\s*\[\{|"web_search_requests":\s*[1-9]/.test(text)
  )
    return null;
  const found = findProvider({ providerId: provider });
  const body: unknown = JSON.parse(text);
  if (found === undefined || typeof body !== "object" || body === null || !("usage" in body)) return null;
  const flavors = { "chat/completions": "chat", responses: "responses", embeddings: "embeddings", messages: "default" };
  const flavor = Object.entries(flavors).find(([end]) => new URL(url).pathname.endsWith(`/${end}`))?.[1];
  if (flavor === undefined) return null;
  const { usage, model } = extractUsage(found, body, flavor);
  return calcPrice(usage, model ?? "", { providerId: provider })?.total_price ?? null;
}

it.runIf(isPresent).each(["openai", "anthropic"])(
  "recorded exchanges with %s pass through a guarded process unchanged, and the ledger holds their cost",
  async (name) => {
    const all = exchanges(name).filter(({ request }) => request.body === null || typeof request.body === "string");
    const provider = await fakeProvider({
      raw(request, response) {
        const exchange = all[Number(request.headers["x-exchange"])];
        const { status, contentType, body } = exchange?.response ?? { status: 500, contentType: null, body: null };
        response.writeHead(status, contentType === null ? {} : { "content-type": contentType });
        response.end(bytes(body));
      },
    });
    const project = askingProject(provider, {
      policy: "run.cost > $1K -> deny\n",
      config: { prices: {} },
      env: { BUDGET_GUARD_HOSTS: `${provider.host}=${name}` },
    });
    const calls = all.map(({ method, url, request }, index) => ({
      method,
      path: new URL(url).pathname + new URL(url).search,
      ...(method === "GET" || request.body === null ? {} : { body: request.body }),
      headers: {
        "x-exchange": String(index),
        ...(request.contentType === null ? {} : { "content-type": request.contentType }),
      },
      identity: { run: `exchange-${index}` },
    }));
    const replies = await asked(project, provider, { calls });
    const found = await status(project);
    let compared = 0;
    for (const [index, exchange] of all.entries()) {
      expect(replies[index]?.status, exchange.name).toBe(exchange.response.status);
      expect(replies[index]?.text, exchange.name).toBe(bytes(exchange.response.body).toString());
      const { spent, held } = meterOf(found, "run.cost", { run: `exchange-${index}` });
      expect(held, exchange.name).toBe(0);
      if (exchange.response.status >= 400) expect(spent, exchange.name).toBe(0);
      const cost = expected(name, exchange);
      if (cost === null) continue;
      compared += 1;
      expect(spent, exchange.name).toBeCloseTo(cost, 8);
    }
    expect(provider.requests.length).toBe(all.length);
    expect(compared).toBeGreaterThan(all.length / 4);
    await provider.close();
    project.remove();
  },
  120_000,
);
