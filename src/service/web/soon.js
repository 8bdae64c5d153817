// Several wishes, one act.

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
