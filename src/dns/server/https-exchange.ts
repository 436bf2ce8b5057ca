import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { refusePacket } from '../answer/refuse-packet.ts'
import type { TimeoutSettings } from '../corefile/decode-small.ts'
import { maxMessageBytes } from '../wire/message.ts'
import { freshSeconds } from './fresh-seconds.ts'
import { type HttpsRefusal, type HttpsRequest, messageType, readHttpsQuery } from './https-query.ts'
import { streamAsker } from './stream-asker.ts'
import type { Seat } from './udp-listener.ts'

/** What a request is answered with. */
export interface HttpsExchangeParts {
  readonly seat: Seat
  readonly timeouts: TimeoutSettings
  readonly countStatus: (status: number) => void
}

/** A response over HTTP/1.1 or HTTP/2. */
type HttpsResponse = ServerResponse | Http2ServerResponse

/** Answers one request; never rejects. A client that sends or takes its bytes too slowly is cut off. */
export async function answerHttps(
  request: HttpsRequest,
  response: HttpsResponse,
  { seat, timeouts, countStatus }: HttpsExchangeParts,
): Promise<void> {
  const cut = (): void => {
    if ('stream' in response) response.stream.close()
    else response.destroy()
  }
  // A client that goes away is no fault of ours.
  request.on('error', cut)
  response.on('error', cut)
  const reading = setTimeout(cut, timeouts.readMs)
  const query = await readHttpsQuery(request).catch(() => undefined)
  clearTimeout(reading)
  if (query === undefined) return
  const answer = 'status' in query ? query : await answerQuery(query, request, seat)
  if (isGone(response)) return
  const writing = setTimeout(cut, timeouts.writeMs)
  response.on('close', () => clearTimeout(writing))
  response.on('finish', () => clearTimeout(writing))
  if ('status' in answer) refuse(response, answer, countStatus)
  else {
    countStatus(200)
    send(response, 200, answer, {
      'content-type': messageType,
      'cache-control': `max-age=${freshSeconds(answer)}`,
    })
  }
}

/** The DNS answer. Bytes that are no query, and queries that a rule drops, get none. */
async function answerQuery(
  query: Uint8Array,
  { socket }: HttpsRequest,
  seat: Seat,
): Promise<Uint8Array | HttpsRefusal> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
  let isLater = false
  const source = {
    asker: () => streamAsker(socket, 'https'),
    later: () => {
      isLater = true
      return resolve
    },
  }
  const length = seat.responder.respond(query, 0, query.length, true, source, out, 0)
  if (length > 0) return Buffer.from(out.subarray(0, length))
  const answer = isLater ? await promise : undefined
  if (answer !== undefined) return answer
  return isLater || refusePacket(query) !== undefined
    ? { status: 500, reason: 'the server does not answer this query' }
    : { status: 400, reason: 'that is no DNS query' }
}

/** Where an answer is made: it is copied before the next one. */
const out = Buffer.alloc(maxMessageBytes)

function refuse(
  response: HttpsResponse,
  { status, reason, headers = {} }: HttpsRefusal,
  countStatus: (status: number) => void,
): void {
  countStatus(status)
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  send(response, status, Buffer.from(`${reason}\n`), { ...type, ...headers })
}

function send(
  response: HttpsResponse,
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', body.length)
  response.end(body)
}

function isGone(response: HttpsResponse): boolean {
  return 'stream' in response ? response.stream.destroyed : response.destroyed
}
