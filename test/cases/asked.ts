/**
 * Calls to well-known hosts through the whole guard, and their answers byte by byte.
 * @module
 */
import { recogniser } from "../../src/call/recognise.ts";
import type { Failure, Passage } from "../../src/hook/exchange.ts";
import { decide, spent, type World, world } from "../support/a-guard.ts";

/** What every world here counts. */
const COUNTED = "tenant.total > $1000000 -> deny\ntenant.tokens.total > 1000M -> deny\n";

/** A guard that knows the providers by their own hosts. */
export const guarded = (rules = ""): World =>
  world(`${COUNTED}${rules}`, {}, { recognise: recogniser({ hosts: new Map() }) });

/** Asks an address with this body; a text is sent as it is. */
export function ask(one: World, url: string, body: unknown, headers: Record<string, string> = {}): Promise<Passage> {
  const { hostname, pathname, search, port, protocol } = new URL(url);
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const secure = protocol === "https:";
  return decide(one, {
    protocol: secure ? "https:" : "http:",
    hostname,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    path: pathname + search,
    headers,
    body: bytes,
  });
}

/** Plays an answer to a call that was let go: all of it, or up to where it breaks off. */
export async function play(
  one: World,
  passage: Passage,
  answer: { readonly type?: string; readonly body: Buffer | object },
  failure: Failure | null = null,
): Promise<void> {
  if (passage.kind !== "go") throw new Error(`not let go: ${passage.kind}`);
  passage.run(() => {});
  passage.tap.head(200, { "content-type": answer.type ?? "application/json" });
  passage.tap.chunk(Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(JSON.stringify(answer.body)));
  if (failure === null) passage.tap.end();
  else passage.tap.fail(failure);
  await one.guard.settled();
}

/** Spent and held, in nano-dollars. */
export async function cost(one: World): Promise<readonly [spent: number, held: number]> {
  const [out, held] = await spent(one, "tenant.cost.total");
  return [Math.round(out * 1e9), Math.round(held * 1e9)];
}

/** What one call costs that is answered whole with this. */
export async function paid(url: string, request: object, answer: object): Promise<number> {
  const one = guarded();
  await play(one, await ask(one, url, request), { body: answer });
  return (await cost(one))[0];
}

export const sse = (...events: readonly object[]): Buffer =>
  Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));

export const OPENAI = "https://api.openai.com/v1/chat/completions";
export const CLAUDE = "https://api.anthropic.com/v1/messages";
export const GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent";
export const messages = [{ role: "user", content: "x".repeat(300) }] as const;
