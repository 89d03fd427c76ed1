// One process of many on a shared ledger: does what its parent says.
import { openStore } from "../../src/store/open.ts";
import type { JudgeRequest, Settlement } from "../../src/store/store.ts";

type Order =
  | { readonly kind: "judge"; readonly requests: readonly JudgeRequest[] }
  | { readonly kind: "settle and end"; readonly settlement: Settlement }
  | { readonly kind: "end" }
  | { readonly kind: "shut and end" };

const opened = openStore(process.argv[2] ?? "", { root: process.cwd(), clock: Date.now });

process.on("message", async (order: Order) => {
  const store = await opened;
  if (order.kind === "judge") {
    const answers = await Promise.all(order.requests.map((request) => store.judge(request)));
    process.send?.(answers.map(({ held }) => held));
  } else if (order.kind === "shut and end") {
    process.disconnect();
    process.exitCode = 9;
    await store.shut();
    process.exitCode = 0;
  } else {
    process.disconnect();
    // Not awaited, and nothing else keeps the process: it must still arrive.
    if (order.kind === "settle and end") void store.settle(order.settlement);
  }
});
opened.then(
  () => process.send?.("ready"),
  (error) => {
    process.send?.(`${error.name}: ${error.message}`);
    process.disconnect();
  },
);
