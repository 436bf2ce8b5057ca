import type { Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../random.ts'
import { longestPart, StormCheck, StormStream } from './storm-bytes.ts'

/** What a peer may do. `orderly`: sends all, ends, and reads to the end, at its own pace. `rude`: may also reset at
 *  any moment, or read no more until it does. `silent`: stops in the middle and waits to be cut off. */
export type Manners = 'orderly' | 'rude' | 'silent'

/** What became of a peer; `fault`: what must not happen. */
export interface PeerEnd {
  readonly fault: string | undefined
  /** Was cut off: a reset, or no connection. */
  readonly isBroken: boolean
}

/** Some peers read nothing for up to so long, at first. */
const longestStallMs = 60

/** A pair that takes longer has been forgotten. */
const patienceMs = 20_000

/** Plays one end of a relayed connection, as chance has it. Its socket must allow half-open connections. */
export async function runPeer(socket: Socket, random: Random, manners: Manners): Promise<PeerEnd> {
  const peer = new StormPeer(socket, random, manners)
  const late = setTimeout(
    () => peer.fail(`no end after ${patienceMs} ms, ${peer.progress}`),
    patienceMs,
  )
  try {
    void peer.send()
    return await peer.ended
  } finally {
    clearTimeout(late)
  }
}

class StormPeer {
  readonly ended: Promise<PeerEnd>
  readonly #socket: Socket
  readonly #random: Random
  readonly #manners: Manners
  readonly #check = new StormCheck()
  readonly #isSlow: boolean
  #fault: string | undefined
  #isBroken = false
  #hasEnded = false
  #hasReset = false
  /** Reads no more, until it resets. */
  #isDeaf = false

  constructor(socket: Socket, random: Random, manners: Manners) {
    this.#socket = socket
    this.#random = random
    this.#manners = manners
    this.#isSlow = this.#isOneIn(4)
    const { promise, resolve } = Promise.withResolvers<PeerEnd>()
    this.ended = promise
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    if (this.#isOneIn(8)) this.#stall(longestStallMs)
    socket.on('end', () => {
      this.#hasEnded = true
      this.#note(this.#check.end())
    })
    socket.on('error', () => {
      this.#isBroken = true
    })
    socket.on('close', () => {
      const isOver = this.#hasEnded || this.#isBroken || this.#hasReset
      this.#note(isOver ? undefined : 'closed without an end and without an error')
      resolve({ fault: this.#fault, isBroken: this.#isBroken || this.#hasReset })
    })
  }

  /** Writes a stream in parts of chance, with pauses of chance, and ends. */
  async send(): Promise<void> {
    const largest = this.#random.pick([10, 1_000, longestPart])
    // Small parts take their time.
    const length = Math.min(drawLength(this.#random), 200 * largest)
    const stream = StormStream.draw(this.#random, length)
    const brokenAt = this.#manners === 'orderly' ? Infinity : this.#random.below(stream.length + 9)
    const isBreaking = this.#manners === 'silent' || this.#isOneIn(2)
    if (this.#isOneIn(8)) await this.#rest()
    await this.#write(stream.head)
    for (let offset = 0; offset < stream.length && !this.#socket.destroyed; ) {
      if (isBreaking && offset >= brokenAt) break
      const size = Math.min(1 + this.#random.below(largest), stream.length - offset)
      await this.#write(stream.part(offset, size))
      offset += size
      // Many small parts are enough when some are alone in their segment.
      if (this.#isOneIn(largest < 100 ? 400 : 6)) await this.#rest()
    }
    if (this.#manners === 'silent') return
    if (isBreaking && brokenAt < Infinity) await this.#break()
    else this.#socket.end()
  }

  /** How far it is, for people. */
  get progress(): string {
    const socket = this.#socket
    const sent = socket.writableFinished
      ? 'all'
      : `${socket.bytesWritten - socket.writableLength} bytes`
    const own = `${socket.remotePort ?? 'not connected'}, ${socket.isPaused() ? 'paused' : 'reading'}`
    return `${own}, sent ${sent}, ${this.#hasEnded ? 'has the end' : (this.#check.end() ?? 'has all')}`
  }

  /** Gives up with a fault. */
  fail(fault: string): void {
    this.#note(fault)
    this.#hasReset = true
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    const fault = this.#check.add(bytes)
    if (fault !== undefined) this.fail(fault)
    if (this.#isSlow && this.#isOneIn(3)) this.#stall(4)
  }

  #stall(longestMs: number): void {
    this.#socket.pause()
    setTimeout(() => {
      if (!this.#isDeaf) this.#socket.resume()
    }, this.#random.below(longestMs))
  }

  async #break(): Promise<void> {
    this.#isDeaf = this.#isOneIn(3)
    if (this.#isDeaf) this.#socket.pause()
    if (this.#isOneIn(2)) await wait(this.#random.below(8))
    this.#hasReset = true
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy()
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(bytes)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('drain', resolve).once('close', resolve)
    await promise
    this.#socket.off('drain', resolve).off('close', resolve)
  }

  async #rest(): Promise<void> {
    if (this.#isOneIn(2)) await nextTurn()
    else await wait(this.#random.below(4))
  }

  #isOneIn(count: number): boolean {
    return this.#random.below(count) === 0
  }

  #note(fault: string | undefined): void {
    this.#fault ??= fault
  }
}

/** Mostly short ones; one in a hundred is longer than what waits in a relay and in the kernel beside it. */
function drawLength(random: Random): number {
  const kind = random.below(100)
  if (kind === 0) return (1 << 23) + random.below(1 << 22)
  if (kind < 10) return random.below(1 << 17)
  return kind < 40 ? random.below(10_000) : random.below(200)
}
