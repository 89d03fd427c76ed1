/**
 * Prints the part of docs/coverage.md that the matrix has found.
 * @module
 */
import { type Cell, type MatrixRow, rows } from "./rows.ts";

/** The lines of Node that are supported. */
export const lines = ["20", "22", "24", "26"] as const;

/** What each table is about, by the group of its rows. */
const groups: Readonly<Record<string, string>> = {
  clients: `### Clients

A **yes** stands for tests in which the real client, in a process of its own, gets its answer from a server on loopback, whole
and streamed, the same as without the guard; is charged for it to the cent, for the tenant, run and feature that it is for; is
refused in one attempt, with nothing sent and a message to read; and is charged for what came when it gives up.`,
  sessions: `### Sessions over WebSocket

Their handshake is judged; then every response in one is a call at its own price, read from the frames as it runs, and the session
is closed when the policy says deny, with the rule to read.`,
  servers: `### Servers

Each call is charged to the tenant that the incoming request names, and to a run of that request's own, with no line of code:
when many requests cross on few connections, after \`await\`s, in timers, at the end of streams and over shared agents.`,
  beside: `### Beside it

Set up before and after the guard: calls are judged, refused and charged once, spans of both arrive, and mocks mock as they do
alone.`,
  "ways in": `### Ways in

How a process comes to the guard, and hands it on to those that it starts.`,
};

/** All tables; or that nothing was run. */
export function clientTables(cells: readonly Cell[]): string {
  const title = "## Clients and versions of Node\n\n";
  if (cells.length === 0) return `${title}The matrix has not been run here: \`npm run test:matrix -- --write\`.\n`;
  const tables = Object.entries(groups).map(([group, about]) => {
    const own = rows.filter((row) => row.group === group);
    const head = `| | ${lines.map((node) => `Node ${node}`).join(" | ")} | shown by |\n|---|${"---|".repeat(lines.length + 1)}`;
    return `${about}\n\n${head}\n${own.map((row) => line(row, cells)).join("\n")}\n`;
  });
  return `${title}${tables.join("\n")}`;
}

function line(row: MatrixRow, cells: readonly Cell[]): string {
  const own = lines.map((node) => cells.find((cell) => cell.client === row.client && cell.node === node));
  const tests = Math.max(...own.map((cell) => cell?.tests ?? 0));
  const shown = `${tests} ${tests === 1 ? "test" : "tests"} of \`${row.suite ?? "e2e/matrix.test.ts"}\``;
  return `| ${row.client}${row.note === undefined ? "" : ` (${row.note})`} | ${own.map((cell) => cell?.result ?? "").join(" | ")} | ${shown} |`;
}
