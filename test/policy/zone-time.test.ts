import { describe, expect, it } from "vitest";
import { zonedAt, zonedTime } from "../../src/policy/zone-time.ts";

const at = (text: string) => Date.parse(text);
const now = at("2026-11-22T14:02:00Z");

describe("a time in a zone", () => {
  it.each([
    ["2026-11-22T23:00:00Z", "America/New_York", "18:00 America/New_York (23:00 UTC)"],
    ["2026-11-23T05:00:00Z", "America/New_York", "23 November 00:00 America/New_York (05:00 UTC)"],
    ["2026-12-01T05:00:00Z", "America/New_York", "1 December 00:00 America/New_York (05:00 UTC)"],
    ["2026-11-30T15:00:00Z", "Asia/Tokyo", "1 December 00:00 Asia/Tokyo (30 November 15:00 UTC)"],
    ["2026-12-31T18:30:00Z", "Asia/Kolkata", "1 January 2027 00:00 Asia/Kolkata (31 December 2026 18:30 UTC)"],
    ["2026-11-22T15:00:00Z", "UTC", "15:00 UTC"],
  ])("%s in %s", (moment, zone, text) => {
    expect(zonedTime(at(moment), now, zone)).toBe(text);
  });

  it("knows that the people of Tokyo have tomorrow already", () => {
    expect(zonedTime(at("2026-11-22T16:00:00Z"), now, "Asia/Tokyo")).toBe(
      "23 November 01:00 Asia/Tokyo (22 November 16:00 UTC)",
    );
    expect(zonedTime(at("2026-11-22T16:00:00Z"), at("2026-11-22T15:30:00Z"), "Asia/Tokyo")).toBe(
      "01:00 Asia/Tokyo (22 November 16:00 UTC)",
    );
  });

  it("has its prepositions", () => {
    expect(zonedAt(at("2026-11-23T05:00:00Z"), now, "America/New_York")).toBe(
      "on 23 November at 00:00 America/New_York (05:00 UTC)",
    );
    expect(zonedAt(at("2026-11-22T15:00:00Z"), now, "UTC")).toBe("at 15:00 UTC");
  });

  it("keeps the seconds where there are any", () => {
    expect(zonedTime(at("2026-11-22T23:00:05.500Z"), now, "Asia/Kolkata")).toBe(
      "23 November 04:30:06 Asia/Kolkata (22 November 23:00:06 UTC)",
    );
  });
});
