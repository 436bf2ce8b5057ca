import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { type Clock, systemClock } from './clock.ts'
import type { ClusterAccess, Environment } from './cluster-access.ts'
import type { CredentialSource, Credentials } from './credential-source.ts'
import { openCredentials, openMaterial } from './credentials.ts'
import { openDispatcher, type TlsTexts } from './dispatcher.ts'
import { LineSplitter } from './line-splitter.ts'
import { decodeStatus, StatusError } from './status-error.ts'
import { TransportError } from './transport-error.ts'

/** Bounds and choices of a transport; everything has a default. */
export interface TransportOptions {
  readonly clock?: Clock
  readonly environment?: Environment
  /** HTTP/2 when the server offers it. */
  readonly allowH2?: boolean
  /** From sending a request to the head of its answer, and between two parts of a JSON body. */
  readonly requestTimeoutMs?: number
  readonly maxBodyBytes?: number
  readonly maxLineBytes?: number
}

/** One API server: all lists and watches of a process share this connection pool. */
export class ApiTransport {
  readonly #access: ClusterAccess
  readonly #options: Required<TransportOptions>
  readonly #credentials: CredentialSource
  readonly #authority: (() => Promise<string>) | undefined
  readonly #base: URL
  #pool: { readonly dispatcher: Dispatcher; readonly tls: TlsTexts } | undefined

  constructor(access: ClusterAccess, options: TransportOptions = {}) {
    this.#access = access
    this.#options = { ...defaults, ...options }
    const { clock, environment } = this.#options
    this.#credentials = openCredentials(access, clock, environment)
    this.#authority = access.authority && openMaterial(access.authority, clock)
    this.#base = new URL(access.server)
  }

  /** The answer to a GET as parsed JSON. Rejects with a StatusError, a TransportError, or an error
   *  of the credentials. `path` begins with a slash and has its query. */
  async getJson(path: string, signal: AbortSignal): Promise<unknown> {
    const body = await this.#request(path, signal)
    try {
      return JSON.parse(await this.#readText(body))
    } catch (error) {
      throw this.#transportError(path, error)
    }
  }

  /** Opens a streaming GET (a watch) and gives its lines in the batches in which they arrive. The
   *  next batch is read only when it is asked for, so that a slow reader slows the server and does
   *  not fill the memory. Rejects like `getJson`, at the opening as well as between two batches. */
  async openLines(path: string, signal: AbortSignal): Promise<AsyncIterable<readonly string[]>> {
    return this.#linesOf(path, await this.#request(path, signal))
  }

  async *#linesOf(path: string, body: Readable): AsyncGenerator<readonly string[]> {
    const splitter = new LineSplitter(this.#options.maxLineBytes)
    try {
      for await (const chunk of body) {
        const lines = splitter.push(chunk as Uint8Array)
        if (lines.length > 0) yield lines
      }
    } catch (error) {
      throw this.#transportError(path, error)
    }
  }

  /** Ends all connections; requests under way reject. */
  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    await pool?.dispatcher.destroy()
  }

  async #request(path: string, signal: AbortSignal): Promise<Readable> {
    const answer = await this.#send(path, signal)
    if (answer.statusCode !== 401 || !this.#credentials.expire()) {
      return this.#bodyOf(path, answer)
    }
    await discard(answer.body)
    return this.#bodyOf(path, await this.#send(path, signal))
  }

  async #send(path: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const credentials = await this.#credentials.current()
    const dispatcher = await this.#dispatcherFor(credentials)
    const { authorization } = credentials
    try {
      return await dispatcher.request({
        origin: this.#base.origin,
        path: `${this.#base.pathname.replace(/\/$/, '')}${path}`,
        method: 'GET',
        headers: {
          accept: 'application/json',
          'user-agent': 'portolan',
          ...this.#access.user.impersonation,
          ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
        },
        signal,
      })
    } catch (error) {
      throw this.#transportError(path, error)
    }
  }

  async #bodyOf(path: string, answer: Dispatcher.ResponseData): Promise<Readable> {
    if (answer.statusCode === 200) return answer.body
    const text = await this.#readText(answer.body).catch(() => '')
    const retryAfter = answer.headers['retry-after']
    const status = decodeStatus(
      parseJson(text),
      answer.statusCode,
      typeof retryAfter === 'string' ? retryAfter : undefined,
    )
    throw new StatusError(this.#title(path), status)
  }

  /** A pool keeps its certificates for life: new ones need a new pool. The old one ends with its
   *  last request. */
  async #dispatcherFor(credentials: Credentials): Promise<Dispatcher> {
    const tls: TlsTexts = {
      authority: await this.#authority?.(),
      certificate: credentials.clientCertificate?.certificate,
      key: credentials.clientCertificate?.key.reveal(),
    }
    const pool = this.#pool
    if (pool !== undefined && isSameTls(pool.tls, tls)) return pool.dispatcher
    const dispatcher = openDispatcher(this.#access, tls, {
      connectTimeoutMs: this.#options.requestTimeoutMs,
      headersTimeoutMs: this.#options.requestTimeoutMs,
      allowH2: this.#options.allowH2,
      environment: this.#options.environment,
    })
    this.#pool = { dispatcher, tls }
    pool?.dispatcher.close().catch(() => {})
    return dispatcher
  }

  async #readText(body: Readable): Promise<string> {
    const { maxBodyBytes, requestTimeoutMs, clock } = this.#options
    const chunks: Buffer[] = []
    let bodyBytes = 0
    const stall = (): void => {
      body.destroy(new Error(`no more of the answer within ${requestTimeoutMs} ms`))
    }
    let cancel = clock.schedule(stall, requestTimeoutMs)
    try {
      for await (const chunk of body) {
        cancel()
        cancel = clock.schedule(stall, requestTimeoutMs)
        bodyBytes += (chunk as Buffer).length
        if (bodyBytes > maxBodyBytes)
          throw new Error(`an answer of more than ${maxBodyBytes} bytes`)
        chunks.push(chunk as Buffer)
      }
    } finally {
      cancel()
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  /** Without the query: it changes with every request, and equal faults shall have equal
   *  messages. */
  #title(path: string): string {
    return `GET ${this.#access.server}${path.replace(/\?.*/, '')}`
  }

  #transportError(path: string, cause: unknown): TransportError {
    return new TransportError(this.#title(path), cause, this.#access.origin)
  }
}

const defaults: Required<TransportOptions> = {
  clock: systemClock,
  environment: {},
  allowH2: false,
  requestTimeoutMs: 30_000,
  // 100,000 slices of 10 endpoints in one unpaged list; a JavaScript string holds twice as much.
  maxBodyBytes: 256 * 1_048_576,
  // etcd takes objects of 1.5 MiB; their JSON can be larger than what is stored.
  maxLineBytes: 16 * 1_048_576,
}

function isSameTls(one: TlsTexts, other: TlsTexts): boolean {
  return (
    one.authority === other.authority &&
    one.certificate === other.certificate &&
    one.key === other.key
  )
}

async function discard(body: Readable): Promise<void> {
  // The connection can only be used again when its answer was read.
  try {
    for await (const _ of body);
  } catch {
    // A broken connection is not used again anyway.
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
