import type { Reply } from '../chain/reply.ts'
import { failure } from '../chain/reply.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import type { Message } from '../wire/message.ts'
import { rcodes } from '../wire/numbers.ts'
import { WireError } from '../wire/wire-error.ts'
import { encodeReply } from './encode-reply.ts'
import type { FrontMemo } from './front-memo.ts'
import type { Asker, MessageServer, Served } from './message-server.ts'
import { QuestionKey } from './question-key.ts'
import { isQueryHeader, refusePacket } from './refuse-packet.ts'

/** Where a packet came from. One object serves all packets of a socket; it is only asked for a query that
 *  the memo does not know, and while that query is being given. */
export interface AskerSource {
  asker(): Asker
}

/** Told what was answered, for metrics and logs. */
export interface AnswerObserver {
  /** A number for the counters of answers like this one, for `repeated`. */
  tallyOf(query: Message, reply: Reply, asker: Asker): number
  /** An answer was made. `bytes` 0: none. */
  answered(query: Message, reply: Reply, asker: Asker, bytes: number, startMs: number): void
  /** A kept answer was given again. */
  repeated(tally: number, queryBytes: number, answerBytes: number): void
  /** What came was no query. */
  refused(): void
  /** A plugin broke its promise and threw; the client got SERVFAIL. */
  failed(error: unknown): void
}

/** Records what look-ups depended on while a chain runs. */
export interface DependencyRecorder {
  recordUses<T>(run: () => T): { readonly result: T; readonly uses: ReadonlySet<string> }
}

/** What a responder works with. */
export interface ResponderInputs {
  readonly server: MessageServer
  readonly memo: FrontMemo
  readonly recorder: DependencyRecorder
  readonly observer: AnswerObserver
  /** Milliseconds, monotonic: times leases and durations. */
  readonly nowMs: () => number
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
   *  bytes from `outStart`, and gives its length. 0: there is none now; it may come through `later`,
   *  in bytes that are its receiver's own. */
  respond(
    packet: Uint8Array,
    start: number,
    end: number,
    isStream: boolean,
    source: AskerSource,
    out: Uint8Array,
    outStart: number,
    later: (answer: Uint8Array) => void,
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
    const query = packet.slice(start, end)
    const answer = this.#ask(query, isOrdinary, source.asker(), later)
    if (answer === undefined) return 0
    out.set(answer, outStart)
    return answer.length
  }

  /** Through the chain; the answer when it is there at once. */
  #ask(
    packet: Uint8Array,
    isOrdinary: boolean,
    asker: Asker,
    later: (answer: Uint8Array) => void,
  ): Uint8Array | undefined {
    const query = decodeQuery(packet)
    const question = query?.questions[0]
    if (query === undefined || question === undefined) {
      this.#inputs.observer.refused()
      return refusePacket(packet)
    }
    const { server, recorder, nowMs } = this.#inputs
    const startMs = nowMs()
    const { result, uses } = recorder.recordUses(() => this.#serve(server, query, asker))
    const { outcome } = result
    if (!(outcome instanceof Promise)) {
      return this.#finish(
        packet,
        query,
        asker,
        result,
        outcome,
        isOrdinary ? uses : undefined,
        startMs,
      )
    }
    outcome
      .catch((error: unknown) => this.#broken(error))
      .then((reply) => {
        // What was looked up after a wait was not recorded: only a lease can vouch for such an answer.
        const isKept = isOrdinary && reply.kind === 'answer' && typeof reply.memo === 'object'
        const known = isKept ? uses : undefined
        const answer = this.#finish(packet, query, asker, result, reply, known, startMs)
        if (answer !== undefined) later(answer)
      })
      .catch((error: unknown) => this.#inputs.observer.failed(error))
    return undefined
  }

  #serve(server: MessageServer, query: Message, asker: Asker): Served {
    const [question] = query.questions
    if (question === undefined) throw new Error('a query without question')
    try {
      return server.serve(query, question, asker)
    } catch (error) {
      return { outcome: this.#broken(error), envelope: { edns: query.edns } }
    }
  }

  #broken(error: unknown): Reply {
    this.#inputs.observer.failed(error)
    return failure(rcodes.SERVFAIL, 'the server has a fault')
  }

  /** Encodes the reply and keeps it, when it may be kept and `uses` is known. */
  #finish(
    packet: Uint8Array,
    query: Message,
    asker: Asker,
    { envelope }: Served,
    reply: Reply,
    uses: ReadonlySet<string> | undefined,
    startMs: number,
  ): Uint8Array | undefined {
    const { observer } = this.#inputs
    const bytes = encodeReply(query, reply, envelope, asker.transport)
    observer.answered(query, reply, asker, bytes?.length ?? 0, startMs)
    if (bytes === undefined || uses === undefined || reply.kind !== 'answer') return bytes
    if (reply.memo !== 'never') {
      this.#keep(packet, asker, bytes, {
        dependencies: typeof reply.memo === 'object' ? noDependencies : uses,
        lease: typeof reply.memo === 'object' ? reply.memo : undefined,
        isRotated: reply.isRotated,
        tally: observer.tallyOf(query, reply, asker),
      })
    }
    return bytes
  }

  /** Only answers to lower-case questions are kept: they serve every other spelling. */
  #keep(
    packet: Uint8Array,
    asker: Asker,
    bytes: Uint8Array,
    entry: Omit<Parameters<FrontMemo['keep']>[1], 'bytes'>,
  ): void {
    const key = this.#key
    if (!key.read(packet, 0, packet.length, asker.transport !== 'udp') || !key.isLowerCase) return
    this.#inputs.memo.keep(key, { ...entry, bytes })
  }
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
