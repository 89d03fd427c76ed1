import { describe, expect, it } from "vitest";
import { address, withoutSecrets } from "../../src/cli/address.ts";

describe("a store's address", () => {
  it.each([
    ["redis://user:s3cret@10.0.0.5:6379/2", "redis://10.0.0.5:6379/2"],
    ["redis://:p@ss@host:6379", "redis://host:6379"],
    ["rediss://host:6379?password=s3cret", "rediss://host:6379"],
    ["redis+unix:///var/run/redis.sock?password=x", "redis+unix:///var/run/redis.sock"],
    ["redis+sentinel://:pw@h1,h2/name", "redis+sentinel://h1,h2/name"],
    ["file:.budget-guard/ledger.db", "file:.budget-guard/ledger.db"],
  ])("shows %s as %s", (url, shown) => {
    expect(address(url)).toBe(shown);
  });

  it.each([
    ["cannot reach redis://user:s3cret@h:1", "redis://user:s3cret@h:1"],
    ["WRONGPASS for s3cret", "redis://user:s3cret@h:1"],
    ["WRONGPASS for s3/cret", "redis://user:s3%2Fcret@h:1"],
    ["bad option password=s3cret", "redis://h:1?password=s3cret"],
  ])("is taken out of %j", (text, url) => {
    expect(withoutSecrets(text, url)).not.toMatch(/s3/);
  });
});
