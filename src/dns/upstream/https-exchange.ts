import { Client } from 'undici'
import { encodeMessage } from '../wire/encode-message.ts'
import { type Message, maxMessageBytes } from '../wire/message.ts'
import { checkReply } from './check-reply.ts'
import { UpstreamError } from './upstream.ts'

/** What DNS over HTTPS works with. */
export interface HttpsInputs {
  readonly label: string
  readonly address: string
  readonly port: number
  readonly path: string
  readonly expireMs: number
  /** The name in `servername` is also the host that is asked for. */
  readonly tls: HttpsTls
}

/** What TLS is told. */
export interface HttpsTls {
  readonly minVersion: 'TLSv1.2'
  readonly servername?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const mediaType = 'application/dns-message'
const timeoutMs = 4_000

/** Sends queries as HTTP requests (RFC 8484, POST), over HTTP/2 when the server speaks it. */
export class HttpsExchange {
  readonly #inputs: HttpsInputs
  readonly #client: Client

  constructor(inputs: HttpsInputs) {
    this.#inputs = inputs
    const { address, port, expireMs, tls } = inputs
    const host = address.includes(':') ? `[${address}]` : address
    this.#client = new Client(`https://${host}:${port}`, {
      allowH2: true,
      pipelining: 100,
      connect: { ...tls, timeout: timeoutMs },
      keepAliveTimeout: expireMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: maxMessageBytes,
    })
  }

  /** Resolves with the reply. Rejects with an UpstreamError. */
  async exchange(original: Message): Promise<Message> {
    // RFC 8484 section 4.1: id 0 lets HTTP caches work.
    const query = { ...original, id: 0 }
    const { label, path, tls } = this.#inputs
    try {
      const host = tls.servername
      const sent = encodeMessage(query, maxMessageBytes)
      const response = await this.#client.request({
        method: 'POST',
        path,
        headers: { accept: mediaType, 'content-type': mediaType, ...(host && { host }) },
        body: sent,
      })
      const bytes = new Uint8Array(await response.body.arrayBuffer())
      if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}`)
      const reply = checkReply(bytes, query, sent)
      if (reply === undefined) throw new Error('answered another question')
      return reply
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new UpstreamError(label, reason, { cause: error })
    }
  }

  /** Ends the connection. */
  close(): void {
    this.#client.destroy().catch(() => undefined)
  }
}
