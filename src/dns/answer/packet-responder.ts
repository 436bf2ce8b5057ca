import { copyOfBytes } from '../../net/copy-bytes.ts'
import { replyMessage } from '../chain/reply.ts'
import type { Query, Respond, Response } from '../plugins/dns-server.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { type Message, maxMessageBytes } from '../wire/message.ts'
import { rcodes } from '../wire/numbers.ts'
import { WireError } from '../wire/wire-error.ts'
import { encodeResponse } from './encode-response.ts'
import type { FrontMemo, MemoEntry } from './front-memo.ts'
import { QuestionKey } from './question-key.ts'
import { isQueryHeader, refusePacket } from './refuse-packet.ts'

/** Who asks, and where. */
export type Asker = Omit<Query, 'message'>

/** Where a packet came from. One object serves all packets of a socket; it is only asked for a query that
 *  the memo does not know, and while that query is being given. */
export interface AskerSource {
  asker(): Asker
  /** Takes the answer when it comes later, in bytes that are its receiver's own; undefined: there is none.
   *  Called once for each time that `respond` gave 0 for a query that is still being answered. */
  later(): (answer: Uint8Array | undefined) => void
}

/** Told what was answered, for metrics and logs. */
export interface AnswerObserver {
  /** A number for the counters of answers like this one, for `repeated`. */
  tallyOf(query: Query, response: Response): number
  /** An answer was made; undefined: the client gets none. */
  answered(query: Query, response: Response | undefined, sizes: Sizes, startMs: number): void
  /** A kept answer was given again. */
  repeated(tally: number, queryBytes: number, answerBytes: number): void
  /** What came was no query. */
  refused(): void
  /** A plugin broke its promise and threw; the client got SERVFAIL. */
  failed(error: unknown): void
}

/** Bytes of a query and of its answer; 0: none. */
export interface Sizes {
  readonly query: number
  readonly answer: number
}

/** Records what look-ups depended on while a chain runs. */
export interface DependencyRecorder {
  recordUses<T>(run: () => T): { readonly result: T; readonly uses: ReadonlySet<string> }
}

/** What a responder works with. */
export interface ResponderInputs {
  readonly respond: Respond
  readonly memo: FrontMemo
  readonly recorder: DependencyRecorder
  readonly observer: AnswerObserver
  /** Milliseconds of the clock that the chain goes by: leases are counted in it. */
  readonly nowMs: () => number
  /** Milliseconds, monotonic: `startMs` of `answered`. */
  readonly timerMs: () => number
  /** Any 32 bits: makes hash collisions unpredictable. */
  readonly hashSeed: number
}

/** Turns query bytes into answer bytes: from the memo when the same was asked before, else through the
 *  chain. */
export class PacketResponder {
  readonly #inputs: ResponderInputs
  readonly #key: QuestionKey

  constructor(inputs: ResponderInputs) {
    this.#inputs = inputs
    this.#key = new QuestionKey(inputs.hashSeed)
  }

  /** Writes the answer to the query from `start` to `end` of `packet` to `out`, which has room for 65,535
   *  bytes from `outStart`, and gives its length. 0: there is none, or it comes later. */
  respond(
    packet: Uint8Array,
    start: number,
    end: number,
    isStream: boolean,
    source: AskerSource,
    out: Uint8Array,
    outStart: number,
  ): number {
    const { memo, observer, nowMs } = this.#inputs
    const key = this.#key
    const isOrdinary = key.read(packet, start, end, isStream)
    if (isOrdinary) {
      const length = memo.answer(key, packet, start, out, outStart, nowMs())
      if (length > 0) {
        observer.repeated(memo.tally, end - start, length)
        return length
      }
    }
    // The buffer is the socket's and will be used again.
    const query = copyOfBytes(packet, start, end)
    const answer = this.#ask(query, isOrdinary, source)
    if (answer === undefined) return 0
    out.set(answer, outStart)
    return answer.length
  }

  /** Whether this query would be answered from the memo, without the chain: for people who ask why. */
  repeats(packet: Uint8Array, isStream: boolean): boolean {
    const { memo, nowMs } = this.#inputs
    const scratch = new Uint8Array(maxMessageBytes)
    const isOrdinary = this.#key.read(packet, 0, packet.length, isStream)
    return isOrdinary && memo.answer(this.#key, packet, 0, scratch, 0, nowMs()) > 0
  }

  /** Through the chain; the answer when it is there at once. */
  #ask(packet: Uint8Array, isOrdinary: boolean, source: AskerSource): Uint8Array | undefined {
    const { recorder, observer, timerMs } = this.#inputs
    const message = decodeQuery(packet)
    if (message === undefined) {
      observer.refused()
      return refusePacket(packet)
    }
    const asked: Asked = { packet, query: { ...source.asker(), message }, startMs: timerMs() }
    const { result, uses } = recorder.recordUses(() => this.#respond(asked.query))
    if (!(result instanceof Promise)) {
      return this.#finish(asked, result, isOrdinary ? uses : undefined)
    }
    const later = source.later()
    const finish = (response: Response | undefined): void => {
      // What was looked up after a wait was not recorded: only a lease can vouch for such an answer.
      const isKept = isOrdinary && typeof response?.memo === 'object'
      try {
        later(this.#finish(asked, response, isKept ? noDependencies : undefined))
      } catch (error) {
        observer.failed(error)
      }
    }
    result.then(finish, (error: unknown) => finish(this.#broken(asked.query, error)))
    return undefined
  }

  #respond(query: Query): ReturnType<Respond> {
    try {
      return this.#inputs.respond(query)
    } catch (error) {
      return this.#broken(query, error)
    }
  }

  #broken({ message, transport }: Query, error: unknown): Response {
    this.#inputs.observer.failed(error)
    const failed = replyMessage(message, { rcode: rcodes.SERVFAIL })
    return {
      message: failed,
      maxBytes: transport === 'udp' ? 512 : maxMessageBytes,
      memo: 'never',
      isRotated: false,
      zone: undefined,
      onEncoded: undefined,
    }
  }

  /** Encodes the answer and keeps it, when it may be kept and `uses` is known. */
  #finish(
    { packet, query, startMs }: Asked,
    response: Response | undefined,
    uses: ReadonlySet<string> | undefined,
  ): Uint8Array | undefined {
    const { observer } = this.#inputs
    const bytes = response && encodeResponse(response)
    const sizes = { query: packet.length, answer: bytes?.length ?? 0 }
    observer.answered(query, response, sizes, startMs)
    response?.onEncoded?.(sizes)
    if (response === undefined || bytes === undefined || uses === undefined) return bytes
    const { memo, isRotated } = response
    if (memo === 'never') return bytes
    const tally = observer.tallyOf(query, response)
    const kept =
      memo === 'until-names-change'
        ? { dependencies: uses, lease: undefined }
        : { dependencies: noDependencies, lease: memo }
    this.#keep(packet, query.transport !== 'udp', { ...kept, bytes, isRotated, tally })
    return bytes
  }

  /** Only answers to lower-case questions are kept: they serve every other spelling. */
  #keep(packet: Uint8Array, isStream: boolean, entry: MemoEntry): void {
    const key = this.#key
    if (key.read(packet, 0, packet.length, isStream) && key.isLowerCase) {
      this.#inputs.memo.keep(key, entry)
    }
  }
}

/** A query that the chain is answering. */
interface Asked {
  readonly packet: Uint8Array
  readonly query: Query
  readonly startMs: number
}

const noDependencies: ReadonlySet<string> = new Set()

/** The message of a query; undefined when it is none. */
function decodeQuery(packet: Uint8Array): Message | undefined {
  if (!isQueryHeader(packet)) return undefined
  try {
    return decodeMessage(packet)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
