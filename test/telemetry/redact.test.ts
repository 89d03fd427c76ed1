import { expect, test } from "vitest";
import { redactQuery } from "../../src/telemetry/redact.ts";

test.each([
  ["?alt=sse&key=AIza", "?alt=sse&key=REDACTED"],
  ["?api-version=1&api-key=abc&x=1", "?api-version=1&api-key=REDACTED&x=1"],
  ["?X-Amz-Signature=abc&X-Amz-Security-Token=def%3D", "?X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED"],
  ["?%6Bey=abc", "?%6Bey=REDACTED"],
  ["?a%=1&token=b=c", "?a%=1&token=REDACTED"],
  ["?alt=sse", "?alt=sse"],
  ["", ""],
])("%s becomes %s", (query, expected) => {
  expect(redactQuery(query)).toBe(expected);
});
