import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { replyMessage } from '../../../src/dns/chain/reply.ts'
import { frame, StreamFrames } from '../../../src/dns/upstream/stream-frames.ts'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import type { Message } from '../../../src/dns/wire/message.ts'

/** What a server does with a query: messages to send back, in order; none: the query is lost. */
export type Fault = (query: Message, count: number) => readonly (Message | Uint8Array)[]

/** A DNS server on a free port of 127.0.0.1, over UDP and TCP, that fails as it is told. */
export interface FaultyServer extends AsyncDisposable {
  readonly port: number
  /** Queries that came, in order. */
  readonly queries: readonly {
    readonly message: Message
    readonly protocol: 'udp' | 'tcp'
    readonly port: number
  }[]
  /** Ends all TCP connections. */
  dropConnections(): void
}

/** Starts one; `udp` and `tcp` say what happens to queries. The port that is free for UDP may be taken for TCP:
 *  another one then. */
export async function startFaultyServer(udp: Fault, tcp: Fault = udp): Promise<FaultyServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryFaultyServer(udp, tcp)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === 20) throw error
    }
  }
}

async function tryFaultyServer(udp: Fault, tcp: Fault): Promise<FaultyServer> {
  const queries: { message: Message; protocol: 'udp' | 'tcp'; port: number }[] = []
  const connections = new Set<Socket>()
  const replies = (fault: Fault, bytes: Uint8Array, protocol: 'udp' | 'tcp', port: number) => {
    const message = decodeMessage(bytes)
    queries.push({ message, protocol, port })
    return fault(message, queries.length).map((reply) =>
      reply instanceof Uint8Array ? reply : encodeMessage(reply, 65_535),
    )
  }
  const datagrams = createSocket('udp4')
  datagrams.on('message', (bytes, from) => {
    for (const reply of replies(udp, bytes, 'udp', from.port)) {
      datagrams.send(reply, from.port, from.address)
    }
  })
  await new Promise<void>((resolve) => datagrams.bind(0, '127.0.0.1', resolve))
  const { port } = datagrams.address()
  const streams = createServer((socket) => {
    connections.add(socket)
    const frames = new StreamFrames()
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Uint8Array) => {
      for (const bytes of frames.push(chunk)) {
        for (const reply of replies(tcp, bytes, 'tcp', socket.remotePort ?? 0)) {
          socket.write(frame(reply))
        }
      }
    })
    socket.on('close', () => connections.delete(socket))
  })
  try {
    streams.listen(port, '127.0.0.1')
    await once(streams, 'listening')
  } catch (error) {
    datagrams.close()
    throw error
  }
  const dropConnections = (): void => {
    for (const socket of connections) socket.destroy()
  }
  return {
    port,
    queries,
    dropConnections,
    async [Symbol.asyncDispose]() {
      dropConnections()
      await new Promise<void>((resolve) => datagrams.close(() => resolve()))
      await new Promise<void>((resolve) => streams.close(() => resolve()))
    },
  }
}

/** An answer with one address. */
export function addressReply(query: Message, address = '192.0.2.1', ttl = 300): Message {
  const name = query.questions[0]?.name ?? '.'
  const answers = [{ name, type: 1, class: 1, ttl, data: { kind: 'A' as const, address } }]
  return replyMessage(query, { flags: { ra: true }, answers })
}
