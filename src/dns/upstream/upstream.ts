import type { Message } from '../wire/message.ts'

/** One server that queries are forwarded to. */
export interface Upstream {
  /** `10.0.0.1:53`, with `tls://` or `https://` in front when it is not plain DNS. */
  readonly label: string
  /** Sends a query and resolves with its reply, checked to belong to it, the id being that of the query.
   *  Rejects with an UpstreamError. Never answers twice, never waits longer than its limits. */
  exchange(query: Message, protocol: UpstreamProtocol): Promise<Message>
  /** Ends all connections; what is under way is rejected. */
  close(): void
}

/** How a plain DNS upstream is asked; DoT and DoH know one way only. */
export type UpstreamProtocol = 'udp' | 'tcp'

/** An upstream did not answer, or not as it should. */
export class UpstreamError extends Error {
  readonly code = 'PORTOLAN_UPSTREAM'
  /** See `Upstream.label`. */
  readonly label: string

  constructor(label: string, message: string, options?: ErrorOptions) {
    super(`${label}: ${message}`, options)
    this.name = 'UpstreamError'
    this.label = label
  }
}
