import { afterEach, describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import { BudgetExceededError } from "../src/errors.ts";
import type { Sighting } from "../src/hook/exchange.ts";
import { endWorlds, type World, world } from "./support/a-guard.ts";

afterEach(endWorlds);

const sighting = (fields: Partial<Sighting> = {}): Sighting => ({
  transport: "undici",
  hostname: "llm.test",
  port: 443,
  method: "POST",
  path: "/v1/chat/completions",
  sent: false,
  ...fields,
});

const warnings = (one: World): string[] => one.said.filter((line) => line.includes("past every hook"));

describe("a request that no hook saw", () => {
  it("is let go and told of, once a host and client in the log, and each time in telemetry", () => {
    const one = world("tenant.hourly > $50 -> deny\n");
    expect(one.guard.unseen(sighting())).toBeNull();
    expect(one.guard.unseen(sighting())).toBeNull();
    expect(one.guard.unseen(sighting({ transport: "socket", method: null, path: null }))).toBeNull();
    expect(warnings(one)).toHaveLength(2);
    expect(warnings(one)[0]).toContain("a request of undici to llm.test:443 went past every hook");
    expect(warnings(one)[0]).toContain("It was let go. `npx budget-guard doctor`");
    expect(one.unseen.map(({ transport, refused }) => [transport, refused])).toEqual([
      ["undici", false],
      ["undici", false],
      ["socket", false],
    ]);
    expect(one.unseen[0]).toMatchObject({ provider: "openai", host: "llm.test", port: 443, rule: null });
  });

  it.each(["deny", 'deny "ask the platform team"'])(
    "is refused by `call.unmetered -> %s`, and the error says so",
    (action) => {
      const one = world(`call.unmetered -> ${action}\n`);
      const error = one.guard.unseen(sighting());
      expect(error).toBeInstanceOf(BudgetExceededError);
      expect(error?.message).toContain("past every hook of the guard");
      expect((error as BudgetExceededError).detail.metric).toBe("call.unmetered");
      expect(one.unseen).toMatchObject([{ refused: true, rule: "call.unmetered -> deny" }]);
      expect(warnings(one)[0]).toContain("It was refused (call.unmetered ->");
    },
  );

  it("that was seen late is said to have been broken off", () => {
    const one = world("call.unmetered -> deny\n");
    one.guard.unseen(sighting({ transport: "http", sent: true }));
    expect(warnings(one)[0]).toContain("broken off after its first bytes may have left");
  });

  it("is refused for those only whom the rule names", () => {
    const one = world('call.unmetered when tenant == "acme" -> deny\n');
    expect(withBudget({ tenant: "globex" }, () => one.guard.unseen(sighting()))).toBeNull();
    expect(withBudget({ tenant: "acme" }, () => one.guard.unseen(sighting()))).toBeInstanceOf(BudgetExceededError);
  });

  it.each([
    "shadow call.unmetered -> deny\n",
    "call.unmetered -> warn\n",
    "tenant.calls.hourly >= 1 -> deny\n",
    "tenant.hourly >= $0 -> deny\n",
  ])("is not refused by `%s`: that refuses nothing, or wants figures that nobody has at once", (policy) => {
    const one = world(policy);
    expect(one.guard.unseen(sighting())).toBeNull();
  });

  it("is refused by a rule that refuses all calls of somebody, whatever they are", () => {
    const one = world('when tenant == "acme" -> deny\n');
    expect(withBudget({ tenant: "acme" }, () => one.guard.unseen(sighting()))).toBeInstanceOf(BudgetExceededError);
    expect(withBudget({ tenant: "globex" }, () => one.guard.unseen(sighting()))).toBeNull();
  });

  it("is refused where the deployment lets no call go unjudged, and never in shadow mode", () => {
    const strict = { deadlineMs: 250, localMillionths: 0, strict: true, holdMs: 60_000 };
    const error = world("", { storeOptions: strict }).guard.unseen(sighting());
    expect(error?.message).toContain('"store": {"strict": true}');
    expect(world("", { storeOptions: strict, mode: "shadow" }).guard.unseen(sighting())).toBeNull();
    expect(world("call.unmetered -> deny\n", { mode: "shadow" }).guard.unseen(sighting())).toBeNull();
  });

  it("is no matter where it cannot spend, or where its path alone looks like a call", () => {
    const one = world("call.unmetered -> deny\n");
    expect(one.guard.unseen(sighting({ method: "GET", path: "/v1/models" }))).toBeNull();
    expect(one.guard.unseen(sighting({ hostname: "mail.test", path: "/v1/messages" }))).toBeNull();
    expect(one.guard.unseen(sighting({ hostname: "mail.test", path: "/" }))).toBeNull();
    expect(one.unseen).toEqual([]);
  });

  it("does not break the application when telemetry fails", () => {
    const one = world(
      "call.unmetered -> deny\n",
      {},
      {
        telemetry: {
          arrive() {
            throw new Error("a defect");
          },
        } as never,
      },
    );
    expect(one.guard.unseen(sighting())).toBeNull();
    expect(one.said.join()).toContain("could not be judged: Error: a defect");
  });
});
