import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readLater } from "../../src/response/later.ts";
import { NO_RESPONSE, type ResponseReader } from "../../src/response/reader.ts";

/** A reader that notes what it is given. */
function noting(): { readonly seen: string[]; readonly make: () => ResponseReader } {
  const seen: string[] = [];
  const make = (): ResponseReader => {
    seen.push("made");
    return {
      push: (bytes) => void seen.push(Buffer.from(bytes).toString()),
      finish: async () => ({ ...NO_RESPONSE, status: 200 }),
    };
  };
  return { seen, make };
}

describe("reading later", () => {
  it("lets everything that waits for the bytes run first, promises and ticks alike", async () => {
    const { seen, make } = noting();
    const reader = readLater(make);
    reader.push(Buffer.from("first"));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (let hop = 0; hop < 50; hop++) await null;
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(["made", "first"]);
    reader.push(Buffer.from("second"));
    await turn();
    expect(seen).toEqual(["made", "first", "second"]);
  });

  it("reads what waits, in order, when the response ends in the same turn", async () => {
    const { seen, make } = noting();
    const reader = readLater(make);
    for (const text of ["a", "b", "c"]) reader.push(Buffer.from(text));
    const finished = reader.finish();
    expect(seen).toEqual(["made", "a", "b", "c"]);
    await expect(finished).resolves.toMatchObject({ status: 200 });
    await turn();
    expect(seen).toEqual(["made", "a", "b", "c"]);
  });

  it("reads the bytes as they came, whatever the caller does with their memory meanwhile", async () => {
    const { seen, make } = noting();
    const reader = readLater(make);
    const bytes = Buffer.from("as it came");
    reader.push(bytes);
    bytes.fill(0);
    await turn();
    expect(seen).toEqual(["made", "as it came"]);
  });

  it("knows the status of an answer without a body", async () => {
    await expect(readLater(noting().make).finish()).resolves.toMatchObject({ status: 200 });
  });

  it("is read as nothing where no reader can be made, and throws into no later turn", async () => {
    const reader = readLater(() => {
      throw new Error("no such provider");
    });
    reader.push(Buffer.from("bytes"));
    await turn();
    await expect(reader.finish()).resolves.toBe(NO_RESPONSE);
  });
});
