// An application that opens realtime sessions as its one argument says, and prints one line of JSON: what came of each.
// A plan: { sessions: [{ url, client, responses, tenant, first, message, dropAt, pauseAfter, headers }] }. `client` is "ws" or "built-in".
import { pause, withBudget } from "budget-guard";
import { WebSocket as Ws } from "ws";

const plan = JSON.parse(process.argv[2]);

function session({ url, client, responses = 1, first, message, dropAt, pauseAfter, headers }) {
  return new Promise((resolve) => {
    const seen = [];
    const errors = [];
    let asked = 0;
    const socket = client === "ws" ? new Ws(url, { headers }) : new WebSocket(url);
    const ask = () => {
      if (asked === responses) return socket.close(1000, "done");
      asked += 1;
      return socket.send(JSON.stringify(message ?? { type: "response.create" }));
    };
    socket.addEventListener("open", () => {
      seen.push("open");
      if (first !== undefined) socket.send(JSON.stringify(first));
      ask();
    });
    socket.addEventListener("message", async ({ data }) => {
      const event = JSON.parse(typeof data === "string" ? data : data.text ? await data.text() : String(data));
      const type = event.type ?? Object.keys(event).join("+");
      seen.push(type);
      process.stdout.write(`event ${type}\n`);
      if (event.type === "error") errors.push(event.error);
      if (type === dropAt) return client === "ws" ? socket.terminate() : process.exit(0);
      if (seen.filter((one) => one === "response.done").length === pauseAfter) await pause({ tenant: "acme" });
      if (event.type === "response.done" || event.serverContent?.turnComplete) ask();
      return undefined;
    });
    socket.addEventListener("error", (event) => {
      seen.push(`error ${event.message}`);
      // Node 22's own client says nothing more after a handshake that failed.
      if (seen.length === 1) setImmediate(resolve, { seen, errors, code: 1006, reason: "" });
    });
    socket.addEventListener("close", ({ code, reason }) => resolve({ seen, errors, code, reason }));
  });
}

const results = await Promise.all(
  plan.sessions.map((one) => (one.tenant ? withBudget({ tenant: one.tenant }, () => session(one)) : session(one))),
);
console.log(JSON.stringify(results));
