import { openMemory } from "../../src/store/memory.ts";
import { conformance } from "./conformance.ts";
import { handClock } from "./hand-clock.ts";

conformance("memory", true, async () => {
  const clock = handClock();
  return { store: openMemory(clock.now), now: clock.now, pass: clock.pass, end: async () => {} };
});
