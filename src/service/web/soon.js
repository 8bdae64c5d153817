// Several wishes, one act; several questions, the last answer.

/** Gives a signal for each question that ends the one before: an answer that is late must not stand over a newer one. */
export function latest(signal) {
  let asked = null;
  return () => {
    asked?.abort();
    asked = new AbortController();
    return AbortSignal.any([asked.signal, signal]);
  };
}

/** Calls `act` once some time after the first of several calls. */
export function soon(act, delay, signal) {
  let timer = null;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      act();
    }, delay);
  };
}
