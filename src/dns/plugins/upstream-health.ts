import type { Clock } from '../../kube/clock.ts'
import type { HealthCheck } from '../corefile/decode-forward.ts'
import type { Upstream, UpstreamProtocol } from '../upstream/upstream.ts'
import { type Message, noFlags } from '../wire/message.ts'
import { recordClasses, recordTypes } from '../wire/numbers.ts'

/** Doublings of the interval between checks of an upstream that stays away: 2^6 times 500 ms are 32 s. */
const maxDoublings = 6

/** One upstream and how it does: it is checked only after it failed, until it answers again. */
export class UpstreamHealth {
  readonly upstream: Upstream
  readonly #check: HealthCheck
  readonly #protocol: UpstreamProtocol
  readonly #clock: Clock
  readonly #onFailure: () => void
  #failCount = 0
  #isChecking = false
  #cancel: () => void = () => undefined

  constructor(
    upstream: Upstream,
    check: HealthCheck,
    protocol: UpstreamProtocol,
    clock: Clock,
    onFailure: () => void,
  ) {
    this.upstream = upstream
    this.#check = check
    this.#protocol = protocol
    this.#clock = clock
    this.#onFailure = onFailure
  }

  /** Whether more checks failed than may; 0: it is never down. */
  isDown(maxFails: number): boolean {
    return maxFails > 0 && this.#failCount > maxFails
  }

  /** Starts checking, if that is not under way. */
  suspect(): void {
    if (this.#isChecking || this.#check.intervalMs === 0) return
    this.#isChecking = true
    this.#probe(0)
  }

  /** Ends checks and connections. */
  close(): void {
    this.#isChecking = true
    this.#cancel()
    this.upstream.close()
  }

  #probe(round: number): void {
    this.upstream.exchange(this.#query(), this.#protocol).then(
      () => {
        this.#failCount = 0
        this.#isChecking = false
      },
      () => {
        this.#failCount++
        this.#onFailure()
        const delayMs = this.#check.intervalMs * 2 ** Math.min(round, maxDoublings)
        this.#cancel = this.#clock.schedule(() => this.#probe(round + 1), delayMs)
      },
    )
  }

  /** Any answer is a sign of life. */
  #query(): Message {
    const { domain, isRecursionDesired } = this.#check
    return {
      id: 0,
      flags: { ...noFlags, rd: isRecursionDesired },
      opcode: 0,
      rcode: 0,
      questions: [{ name: domain, type: recordTypes.NS, class: recordClasses.IN }],
      answers: [],
      authority: [],
      additional: [],
      edns: undefined,
    }
  }
}
