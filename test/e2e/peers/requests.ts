import type { Protocol } from '../../../src/net/protocol.ts'

/** Where flows go. `from`: the source address to use, when the namespace has several. */
export interface Target {
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
  readonly from?: string
}

/** One line to a client peer. `held` names connections that stay open between requests. */
export type Request =
  /** Opens `count` flows one after the other, sends one line on each, reads the answer, closes. */
  | ({ readonly kind: 'connect'; readonly count: number; readonly timeoutMs: number } & Target)
  /** Opens flows and keeps them. */
  | ({ readonly kind: 'hold'; readonly held: string; readonly count: number } & Target)
  /** Sends a line on every held flow and waits for its answer. */
  | { readonly kind: 'verify'; readonly held: string; readonly timeoutMs: number }
  | { readonly kind: 'release'; readonly held: string }
  | { readonly kind: 'ping'; readonly address: string; readonly timeoutMs: number }

/** What came of a request's flows, counted. */
export interface Answers {
  /** By name of the server that answered. */
  readonly servers: Readonly<Record<string, number>>
  /** By source address that the server saw. */
  readonly sources: Readonly<Record<string, number>>
  /** By reason: an errno name, `timeout`, `closed`; of a ping also `port-unreachable`. */
  readonly failures: Readonly<Record<string, number>>
}

/** The answer of a server peer to any line or datagram: its own name and the source that it saw. */
export interface Answer {
  readonly server: string
  readonly source: string
}

/** Counts answers and failures. */
export class AnswerCounter {
  readonly #servers = new Map<string, number>()
  readonly #sources = new Map<string, number>()
  readonly #failures = new Map<string, number>()

  answered({ server, source }: Answer): void {
    increment(this.#servers, server)
    increment(this.#sources, source)
  }

  failed(reason: string): void {
    increment(this.#failures, reason)
  }

  answers(): Answers {
    return {
      servers: Object.fromEntries(this.#servers),
      sources: Object.fromEntries(this.#sources),
      failures: Object.fromEntries(this.#failures),
    }
  }
}

/** `NAME SOURCE`, as servers write it. */
export function parseAnswer(text: string): Answer {
  const [server = '', source = ''] = text.trim().split(' ')
  return { server, source }
}

/** The reason why a flow failed, for counting. */
export function failureReason(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.message : String(error)
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
