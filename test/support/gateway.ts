/**
 * A gateway in front of a server under test: it names the tenant of each request, and keeps few connections.
 * @module
 */
import { Agent, request } from "node:http";

export interface Gateway {
  /** POSTs `{ name: TENANT }`, `nobody` where there is none, and gives the answer's text. */
  ask(port: number, tenant: string | null, path?: string): Promise<string>;
  close(): void;
}

export function gateway(): Gateway {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  return {
    ask: (port, tenant, path = "/ask") =>
      new Promise((resolve, reject) => {
        const headers = { "content-type": "application/json", ...(tenant !== null && { "x-tenant-id": tenant }) };
        const asked = request({ port, path, method: "POST", headers, agent }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part) => {
            text += part;
          });
          response.on("end", () => resolve(text)).on("error", reject);
        });
        asked.on("error", reject).end(JSON.stringify({ name: tenant ?? "nobody" }));
      }),
    close: () => agent.destroy(),
  };
}
