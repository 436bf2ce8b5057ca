import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import type { PeerOrder, ProbeMessage } from './peer-messages.ts'

/** The rules are steady when they have not changed for this long, milliseconds. */
export const quietMs = 5000

/** A peer that runs, and a process beside it that watches the rules. */
export class PeerProcess {
  readonly #child: ChildProcess
  readonly #listeners = new Set<(message: ProbeMessage) => void>()
  #startedMs = 0
  #changedMs = 0

  /** `place`: a network namespace of its own, or that of this thread. */
  constructor(order: PeerOrder, place: 'own namespace' | 'here') {
    const file = new URL('./peer-probe.ts', import.meta.url).pathname
    const command = [process.execPath, file, JSON.stringify(order)]
    const isolation = place === 'here' ? [] : ['unshare', '--net']
    const [program = '', ...words] = [...isolation, ...command]
    this.#child = spawn(program, words, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: ProbeMessage) => {
      if (message.kind === 'started') this.#startedMs = message.atMs
      if (message.kind === 'rules changed') this.#changedMs = message.atMs
      for (const listener of this.#listeners) listener(message)
    })
  }

  /** Waits until the rules are there and steady; gives the time from start to their last change. */
  async steady(signal: AbortSignal): Promise<number> {
    const now = (): number => performance.timeOrigin + performance.now()
    while (this.#changedMs === 0 || now() - this.#changedMs < quietMs) {
      if (this.#child.exitCode !== null)
        throw new Error('peer: the probe ended; its words are above')
      await delay(100, undefined, { signal })
    }
    return this.#changedMs - this.#startedMs
  }

  /** The time of the next change of the rules. */
  async nextChange(signal: AbortSignal): Promise<number> {
    const message = await this.#next('rules changed', signal)
    return message.kind === 'metrics' ? 0 : message.atMs
  }

  /** Sum, seconds, and count of the peer's own histogram of synchronisations. */
  async syncDuration(): Promise<{ readonly sum: number; readonly count: number }> {
    const answer = this.#next('metrics', AbortSignal.timeout(10_000))
    this.#child.send('metrics')
    const message = await answer
    const text = message.kind === 'metrics' ? message.text : ''
    const figure = (suffix: string): number =>
      [
        ...text.matchAll(
          new RegExp(`^kubeproxy_sync_proxy_rules_duration_seconds_${suffix}.* (\\S+)$`, 'gm'),
        ),
      ]
        .map((match) => Number(match[1]))
        .reduce((sum, value) => sum + value, 0)
    return { sum: figure('sum'), count: figure('count') }
  }

  close(): void {
    this.#child.disconnect()
  }

  #next(kind: ProbeMessage['kind'], signal: AbortSignal): Promise<ProbeMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<ProbeMessage>()
    const listener = (message: ProbeMessage): void => {
      if (message.kind === kind) resolve(message)
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    return promise.finally(() => this.#listeners.delete(listener))
  }
}
