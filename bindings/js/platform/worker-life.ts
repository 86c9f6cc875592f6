// Whether a worker of a browser is still there. One that is killed (out of memory, by the browser,
// from the developer tools) gives no event, and one that runs a sample answers nothing. But a lock
// is given back when its holder ends, however it ends: the worker holds one as long as it lives,
// and whoever started it waits for it. Only secure pages have locks; elsewhere deadlines are left
// (runtime/workers.ts).

/** What a worker says once it holds its lock. */
export interface WorkerAlive {
  kind: 'alive';
}

/** Absent in insecure pages, and in Node. */
const locks = () => (globalThis.navigator as Partial<Navigator> | undefined)?.locks;

/** The name of a worker's lock; undefined where there are no locks. */
export function lifeName(): string | undefined {
  return locks() ? `onnx-ptq worker ${crypto.randomUUID()}` : undefined;
}

/** In the worker: holds the lock for the rest of its life; `alive` is called once it is held. */
export function holdLife(name: string | undefined, alive: (message: WorkerAlive) => void): void {
  if (name === undefined) return;
  void locks()?.request(name, () => {
    alive({ kind: 'alive' });
    return new Promise(() => {});
  });
}

/** Where it was started, once it is alive: `ended` is called when it has ended. Returns an end. */
export function watchLife(name: string, ended: () => void): () => void {
  const stop = new AbortController();
  locks()
    ?.request(name, { signal: stop.signal }, () => {
      if (!stop.signal.aborted) ended();
    })
    .catch(() => {}); // no longer waited for
  return () => stop.abort();
}
