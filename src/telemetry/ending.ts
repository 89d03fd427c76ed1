/** What is to be done when the process ends, by the way it ends. */
export interface EndingWork {
  /** Nothing is left to do: asynchronous work may still be started, and the event comes again after it. */
  atRest(): void;
  /** A signal would have ended the process: deliver, within `SIGNAL_CAP`. */
  onSignal(): Promise<void>;
  /** `process.exit` or an uncaught exception: only synchronous work is possible. */
  atExit(): void;
}

/** How long a signal is held up at most, ms. */
export const SIGNAL_CAP = 2_000;

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Everyone who has something to do: they share the listeners, so that a signal waits for all of them. */
const works = new Set<EndingWork>();

const atRest = (): void => {
  for (const work of works) work.atRest();
};

const atExit = (): void => {
  for (const work of works) work.atExit();
};

/** With a listener the signal no longer ends the process by itself: it is raised again where nobody else listens. */
const onSignal = (signal: NodeJS.Signals): void => {
  // Off at once, so that a second Ctrl-C ends the process without waiting.
  ignoreSignals();
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    clearTimeout(cap);
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const cap = setTimeout(finish, SIGNAL_CAP);
  void Promise.allSettled([...works].map((work) => work.onSignal())).then(finish);
};

function ignoreSignals(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/** Listens to the end of the process; returns a function that stops listening. */
export function onEnding(work: EndingWork): () => void {
  if (works.size === 0) {
    // Workers get no signals.
    const { isMainThread } = process.getBuiltinModule("node:worker_threads");
    process.on("beforeExit", atRest);
    process.on("exit", atExit);
    if (isMainThread) for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  works.add(work);
  return () => {
    works.delete(work);
    if (works.size > 0) return;
    process.off("beforeExit", atRest);
    process.off("exit", atExit);
    ignoreSignals();
  };
}
