import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A real redis-server of this test's own, without persistence, on loopback. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** `redis+unix://` address of the same server. */
  readonly socketUrl: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts redis-server on a free port (or the one given), with further arguments. Rejects clearly where it is not installed. */
export async function startRedis(port?: number, args: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const chosen = port ?? (await freePort());
  const socket = join(folder, "redis.sock");
  const flags = ["--port", `${chosen}`, "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder];
  const server = spawn("redis-server", [...flags, "--save", "", "--appendonly", "no", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => server.once("close", () => resolve()));
  await ready(server);
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    socketUrl: `redis+unix://${socket}`,
    process: server,
    async stop() {
      server.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new Error("redis-server is not installed: these tests need a real one (apt-get install redis-server)", {
          cause,
        }),
      );
    });
    const said: string[] = [];
    server.once("exit", (code) => reject(new Error(`redis-server ended with ${code}: ${said.join("\n")}`)));
    if (server.stdout === null) return;
    // Read to its end: a full pipe would stop the server.
    createInterface({ input: server.stdout }).on("line", (line) => {
      said.push(line);
      if (line.includes("Ready to accept connections")) resolve();
    });
  });
}
