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

/** Listens to the end of the process; returns a function that stops listening. */
export function onEnding(work: EndingWork): () => void {
  const { atRest, atExit } = work;
  // Workers get no signals.
  const { isMainThread } = process.getBuiltinModule("node:worker_threads");
  const signals = isMainThread ? SIGNALS : [];
  const ignore = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  /** With a listener the signal no longer ends the process by itself: it is raised again where nobody else listens. */
  const onSignal = (signal: NodeJS.Signals): void => {
    // Off at once, so that a second Ctrl-C ends the process without waiting.
    ignore();
    let finished = false;
    const finish = (): void => {
      if (finished) return;
      finished = true;
      clearTimeout(cap);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    const cap = setTimeout(finish, SIGNAL_CAP);
    work.onSignal().then(finish, finish);
  };

  process.on("beforeExit", atRest);
  process.on("exit", atExit);
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    process.off("beforeExit", atRest);
    process.off("exit", atExit);
    ignore();
  };
}
