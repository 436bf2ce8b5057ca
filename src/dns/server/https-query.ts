import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { maxMessageBytes } from '../wire/message.ts'

/** A request over HTTP/1.1 or HTTP/2. */
export type HttpsRequest = IncomingMessage | Http2ServerRequest

/** Why a request gets no DNS answer: the HTTP status and one line for people. */
export interface HttpsRefusal {
  readonly status: number
  readonly reason: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Media type of DNS messages (RFC 8484 section 6). */
export const messageType = 'application/dns-message'

/** The only path, as in CoreDNS. */
const queryPath = '/dns-query'

/** Shorter ones have no header. */
const minQueryBytes = 12

/** The DNS query in a request (RFC 8484 section 4.1), not decoded: `?dns=` of GET, the body of POST. Rejects
 *  when the connection ends before the body does. */
export async function readHttpsQuery(request: HttpsRequest): Promise<Uint8Array | HttpsRefusal> {
  const [path, parameters = ''] = (request.url ?? '').split('?', 2)
  if (path !== queryPath) return refuse(404, `queries are answered at ${queryPath}`)
  switch (request.method) {
    case 'GET':
      return readParameter(new URLSearchParams(parameters))
    case 'POST':
      return readBody(request)
    default:
      return {
        ...refuse(405, 'use GET with ?dns=, or POST'),
        headers: { allow: 'GET, POST' },
      }
  }
}

/** Unpadded base64url (RFC 4648 section 5), once. */
function readParameter(parameters: URLSearchParams): Uint8Array | HttpsRefusal {
  const [text, ...others] = parameters.getAll('dns')
  if (text === undefined || others.length > 0) return refuse(400, 'expected ?dns= once')
  if (!/^[\w-]*$/.test(text)) return refuse(400, '?dns= is not base64url without padding')
  return checked(Buffer.from(text, 'base64url'))
}

async function readBody(request: HttpsRequest): Promise<Uint8Array | HttpsRefusal> {
  const type = request.headers['content-type'] ?? ''
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== messageType) {
    return refuse(415, `expected content-type ${messageType}`)
  }
  const tooLarge = refuse(413, `a DNS message has at most ${maxMessageBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > maxMessageBytes) return tooLarge
  const chunks: Buffer[] = []
  let byteCount = 0
  // The stream must live on: the refusal goes out on it.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
  for await (const chunk of body) {
    byteCount += chunk.length
    if (byteCount > maxMessageBytes) return tooLarge
    chunks.push(chunk)
  }
  return checked(Buffer.concat(chunks))
}

function checked(query: Uint8Array): Uint8Array | HttpsRefusal {
  return query.length < minQueryBytes ? refuse(400, 'that is no DNS message') : query
}

function refuse(status: number, reason: string): HttpsRefusal {
  return { status, reason }
}
