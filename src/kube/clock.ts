/** Time as a parameter, so that tests can turn it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls back once after `delayMs`; returns the way to cancel. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when the signal is aborted; never rejects. */
export function delay(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.schedule(finish, delayMs)
  signal.addEventListener('abort', finish, { once: true })
  function finish(): void {
    cancel()
    signal.removeEventListener('abort', finish)
    resolve()
  }
  return promise
}
