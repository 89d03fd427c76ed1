/**
 * All recorded traffic through a guarded process: its requests and answers pass byte for byte, and the ledger holds what the
 * answers cost, nothing more and nothing still held.
 */

import { readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadPrices } from "../../src/call/price.ts";
import { meterOf, type Status, status } from "../support/asking.ts";
import { type Project, project } from "../support/run-app.ts";
import { bodyItems, packages } from "./bodies.ts";
import { exchanges, folder, isPresent } from "./golden.ts";
import { callOf, type Item, itemOf, recognised, settle } from "./replaying.ts";

const items: readonly Item[] = isPresent
  ? [
      ...readdirSync(join(folder, "exchanges")).flatMap((file) => {
        const provider = file.replace(/\.jsonl$/, "");
        return exchanges(provider).map((exchange) => itemOf(provider, exchange));
      }),
      ...packages.flatMap(bodyItems),
    ]
  : [];

/** Sends each request in turn, and prints what came back. */
const APP = `
import { readFileSync } from "node:fs";
import { withBudget } from "budget-guard";
const results = [];
for (const [index, call] of JSON.parse(readFileSync("plan.json", "utf8")).entries()) {
  const body = call.body === null ? undefined : Buffer.from(call.body, "base64");
  const response = await withBudget({ run: "item-" + index }, () =>
    fetch(call.url, { method: call.method, headers: call.headers, body }));
  const bytes = Buffer.from(await response.arrayBuffer());
  results.push({ status: response.status, type: response.headers.get("content-type"), body: bytes.toString("base64") });
}
process.stdout.write(JSON.stringify(results) + "\\n");
`;

interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

/** What arrived of each request. */
const arrived = new Map<number, { readonly method: string; readonly path: string; readonly body: Buffer }>();
const servers: Server[] = [];
let at: Project;
let replies: readonly Reply[] = [];
let found: Status;

/** A server of its own for each provider, since hosts are told apart by address and port. */
async function serve(): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const index = Number(request.headers["x-item"]);
      const item = items[index];
      arrived.set(index, { method: request.method ?? "", path: request.url ?? "", body: Buffer.concat(chunks) });
      response.writeHead(item?.status ?? 500, item?.contentType == null ? {} : { "content-type": item.contentType });
      response.end(item?.body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  if (!isPresent) return;
  const ports = new Map<string, number>();
  for (const { provider } of items) if (!ports.has(provider)) ports.set(provider, await serve());
  // What nobody names is known by its shape: the host of the alibaba bodies.
  const named = items.flatMap((item) =>
    item.provider === "alibaba" ? [] : [`127.0.0.1:${ports.get(item.provider)}=${recognised(item).provider.name}`],
  );
  const plan = items.map((item, index) => ({
    url: `http://127.0.0.1:${ports.get(item.provider)}${item.url.pathname}${item.url.search}`,
    method: item.method,
    headers: {
      "x-item": String(index),
      ...(item.request.contentType !== null && { "content-type": item.request.contentType }),
    },
    body: item.method === "GET" || item.request.body.length === 0 ? null : item.request.body.toString("base64"),
  }));
  at = project({
    policy: "run.cost > $1K -> deny\n",
    config: { prices: {} },
    files: { "app.mjs": APP, "plan.json": JSON.stringify(plan) },
    env: { BUDGET_GUARD_HOSTS: [...new Set(named)].join(",") },
  });
  const end = await at.start().finished;
  if (end.code !== 0) throw new Error(`ended with ${end.code}:\n${end.stderr}`);
  replies = end.json<Reply[]>();
  found = await status(at);
}, 120_000);

afterAll(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  if (isPresent) at.remove();
});

it.runIf(isPresent)("every request reaches its provider as it was sent", () => {
  expect(arrived.size).toBe(items.length);
  for (const [index, item] of items.entries()) {
    const { method, path, body } = arrived.get(index) ?? {};
    expect([method, path], item.name).toEqual([item.method, item.url.pathname + item.url.search]);
    if (item.method !== "GET") expect(body?.equals(item.request.body), item.name).toBe(true);
  }
});

it.runIf(isPresent)("every answer reaches its caller as it was sent", () => {
  expect(replies.length).toBe(items.length);
  for (const [index, item] of items.entries()) {
    const { status: code, body } = replies[index] ?? {};
    expect(code, item.name).toBe(item.status);
    expect(body === item.body.toString("base64"), item.name).toBe(true);
  }
});

it.runIf(isPresent)(
  "the ledger holds the cost of each, errors and what is free at nothing, and no hold is left",
  async () => {
    const prices = await loadPrices();
    let charged = 0;
    for (const [index, item] of items.entries()) {
      const { spent, held } = meterOf(found, "run.cost", { run: `item-${index}` });
      expect(held, item.name).toBe(0);
      const call = callOf(item, prices);
      const bill = await settle(item, call, prices, 4096);
      if (bill.source === "estimate" && bill.cost.total > 0) {
        // What earlier calls taught may have changed the estimate: it is charged, and never nothing.
        expect(spent, item.name).toBeGreaterThan(0);
      } else expect(Math.round(spent * 1e9), item.name).toBe(bill.cost.total);
      if (spent > 0) charged += 1;
    }
    expect(charged).toBeGreaterThan(300);
  },
);
