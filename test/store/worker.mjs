// One process of many on a shared ledger: does what its parent says, over the built package.
import { openStore } from "../../dist/store/open.js";

const [url] = process.argv.slice(2);
const opened = openStore(url, { root: process.cwd(), clock: Date.now });

process.on("message", async ({ kind, requests, settlement }) => {
  const store = await opened;
  if (kind === "judge") {
    const answers = await Promise.all(requests.map((request) => store.judge(request)));
    process.send(answers.map(({ held }) => held));
  } else if (kind === "settle and end") {
    process.disconnect();
    // Not awaited, and nothing else keeps the process: it must still arrive.
    void store.settle(settlement);
  } else if (kind === "end") {
    process.disconnect();
  }
});
opened.then(
  () => process.send("ready"),
  (error) => {
    process.send(`${error.name}: ${error.message}`);
    process.disconnect();
  },
);
