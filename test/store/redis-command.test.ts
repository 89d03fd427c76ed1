import fc from "fast-check";
import { Command } from "ioredis";
import { expect, it } from "vitest";
import { packCommand, packed } from "../../src/store/redis-command.ts";

/** Not just any name: by some (`hset`, and what objects inherit) the library looks up a change to the arguments. */
const command = fc.constantFrom("evalsha", "EVAL", "script");
const word = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant(""));
const bytes = fc.uint8Array({ minLength: 1 }).map((list) => Buffer.from(list));

it("a packed command is, byte for byte, what the library would send", () => {
  fc.assert(
    fc.property(command, fc.array(word), fc.array(bytes, { minLength: 1 }), (name, words, args) => {
      const theirs = Buffer.from(new Command(name, [...words, ...args]).toWritable({}));
      expect(packCommand([name, ...words], args).equals(theirs)).toBe(true);
    }),
  );
});

it("a command that is packed is sent as its bytes", () => {
  const sent = packCommand(["EVALSHA", "tenant=Zürich ✓"], [Buffer.from([0, 255, 13, 10])]);
  expect(packed(Command, "evalsha", sent).toWritable({})).toBe(sent);
});
