import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { openRedis } from "../../src/store/redis.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { conformance } from "./conformance.ts";

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.port, "127.0.0.1");
});
afterAll(async () => {
  await admin.quit();
  await server.stop();
});

conformance("Redis", false, async () => {
  await admin.flushall();
  const store = await openRedis(server.url, { clock: Date.now });
  return {
    store,
    now: Date.now,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    end: () => store.shut(),
  };
});
