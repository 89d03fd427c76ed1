// The application of the incident, as a team would write it: a weekly research pipeline of four agents on the real
// `openai` package with its default retries. Nothing in here knows of budgets but the one line that names the feature
// and the run. One competitor in the queue has a malformed URL; that is all it takes.
import { withBudget } from "budget-guard";
import OpenAI from "openai";
import { pages } from "./pages.mjs";

const MODEL = "gpt-5.5";
/** LangChain's default in the incident: three retries per failed call, no backoff. */
const RETRIES = 3;

const queue = [
  { competitor: "northwind", url: "https://northwind.example/pricing" },
  { competitor: "globex", url: "htps//globex.example:pricing" },
  { competitor: "initech", url: "https://initech.example/pricing" },
];

const client = new OpenAI();

/** What the agents remember of a job: its last turns, so that no two rounds send the same bytes. */
let memory = [];

/** One question to one agent. */
async function ask(agent, content) {
  const completion = await client.chat.completions.create({
    model: MODEL,
    max_completion_tokens: 3_500,
    messages: [
      { role: "system", content: `You are the ${agent} of a weekly competitor report. Answer in JSON.` },
      ...memory,
      { role: "user", content },
    ],
  });
  return completion.choices[0].message.content;
}

/** Asks for JSON; an answer that is none counts as failed, and is asked for again at once. */
async function askForJson(agent, content) {
  let answer = "";
  for (let attempt = 0; attempt <= RETRIES; attempt++) {
    if (attempt > 0) log(`${agent} answered no JSON; retry ${attempt} of ${RETRIES}`);
    answer = await ask(agent, content);
    try {
      return JSON.parse(answer);
    } catch {}
  }
  return { partial: answer.slice(0, 200) };
}

/** The Analyzer's tool. What is wrong with a page comes back as an object in place of the page. */
function fetchPage(url) {
  try {
    return { page: pages(new URL(url).hostname) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}`, url, lastGoodPage: pages("cache") };
  }
}

async function research({ competitor, url }) {
  memory = [];
  let turn = 0;
  log(`${competitor}: Analyzer reads ${url}`);
  const analyze = (task) => askForJson("Analyzer", `${task}\n\n${JSON.stringify(fetchPage(url))}`);
  let findings = await analyze(`Extract the pricing of ${competitor}.`);
  for (;;) {
    const draft = await askForJson(
      "Synthesizer",
      `Summarise these findings.\n\n${JSON.stringify(findings)}${pages("house style")}`,
    );
    const review = await askForJson("Critic", `Check this draft.\n\n${JSON.stringify(draft)}${pages("facts")}`);
    if (review.approved) {
      await ask("Writer", `Write the report.\n\n${JSON.stringify(draft)}`);
      return log(`${competitor}: Critic approves, Writer delivers the report`);
    }
    // The Synthesizer takes the Critic's question for a new task and routes it back to the Analyzer. This is the loop.
    log(`Critic asks: ${review.question} Back to the Analyzer.`);
    memory = [...memory, { role: "assistant", content: `Turn ${++turn} went back to the Analyzer.` }].slice(-8);
    findings = await analyze(review.question);
  }
}

function log(line) {
  process.stdout.write(`${line}\n`);
}

for (const job of queue) {
  try {
    await withBudget({ feature: "research", run: `weekly-${job.competitor}` }, () => research(job));
  } catch (error) {
    log(`${job.competitor}: stopped. ${error.constructor.name}, code ${error.code}: ${error.message}`);
  }
}
