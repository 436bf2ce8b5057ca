import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { connect as connectTls } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AskerSource, PacketResponder } from '../../../src/dns/answer/packet-responder.ts'
import type { TlsSettings } from '../../../src/dns/corefile/decode-tls.ts'
import { secureSettings } from '../../../src/dns/server/secure-settings.ts'
import { listenTcp } from '../../../src/dns/server/tcp-listener.ts'
import type { OpenListener } from '../../../src/dns/server/udp-listener.ts'
import { StreamFrames } from '../../../src/dns/upstream/stream-frames.ts'
import { freePort } from './running-server.ts'
import { makeCertificates } from './test-certificates.ts'

const test = suite('dns/server/tcp-listener')
const certificates = makeCertificates()

/** Messages of one byte: `now` is repeated at once, `later` when it is released, `drop` never. */
const words = { now: 1, later: 2, drop: 3 } as const

/** Stands for a server's chain. */
class FakeResponder {
  readonly waiting: ((answer: Uint8Array | undefined) => void)[] = []
  count = 0

  respond(
    packet: Uint8Array,
    start: number,
    end: number,
    _isStream: boolean,
    source: AskerSource,
    out: Uint8Array,
  ): number {
    this.count++
    const word = packet[start]
    if (word === words.now) {
      out.set(packet.subarray(start, end))
      return end - start
    }
    const later = source.later()
    if (word === words.drop) queueMicrotask(() => later(undefined))
    else this.waiting.push(later)
    return 0
  }

  release(): void {
    for (const later of this.waiting.splice(0)) later(Uint8Array.of(words.later))
  }
}

interface Listening {
  readonly port: number
  readonly responder: FakeResponder
  readonly listener: OpenListener
}

const patient = { readMs: 60_000, writeMs: 60_000, idleMs: 60_000 }

async function listen(
  timeouts: Partial<typeof patient> = {},
  clientAuth?: TlsSettings['clientAuth'],
): Promise<Listening> {
  const responder = new FakeResponder()
  const place = { host: '127.0.0.1', port: await freePort(), isShared: false }
  // The listener only asks it to respond.
  const seat = { responder: responder as unknown as PacketResponder }
  const settings = { timeouts: { ...patient, ...timeouts }, secure: secureFor(clientAuth) }
  return { port: place.port, responder, listener: await listenTcp(place, seat, settings) }
}

function secureFor(
  clientAuth: TlsSettings['clientAuth'] | undefined,
): ReturnType<typeof secureSettings> | undefined {
  if (clientAuth === undefined || certificates === undefined) return undefined
  const { certificate, key } = certificates
  return secureSettings('tls://:853', { certificate, key, authority: certificate, clientAuth })
}

function message(...bytes: number[]): Uint8Array {
  return Uint8Array.of(0, bytes.length, ...bytes)
}

async function readMessages(socket: Socket): Promise<number[]> {
  const frames = new StreamFrames()
  const words: number[] = []
  for await (const chunk of socket) {
    for (const frame of frames.push(chunk as Buffer)) words.push(frame[0] ?? 0)
  }
  return words
}

test('a client that has ended its side gets what it still waits for, and then the end', async () => {
  const { port, responder, listener } = await listen()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.end(Buffer.concat([message(words.later), message(words.drop), message(words.now)]))
  const read = readMessages(socket)
  while (responder.count < 3) await new Promise(setImmediate)
  setImmediate(() => responder.release())
  assert.equal(await read, [words.now, words.later])
  await listener.close()
})

test('a connection has 100 queries under way; further ones wait', async () => {
  const { port, responder, listener } = await listen()
  const socket = connect(port, '127.0.0.1')
  socket.write(Buffer.concat(Array.from({ length: 150 }, () => message(words.later))))
  while (responder.count < 100) await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.is(responder.count, 100)
  const read = readMessages(socket)
  responder.release()
  assert.is(responder.count, 150)
  responder.release()
  socket.end()
  assert.is((await read).length, 150)
  await listener.close()
})

const silences: readonly [title: string, times: Partial<typeof patient>, sent: Uint8Array][] = [
  ['says nothing', { readMs: 50 }, new Uint8Array(0)],
  ['never ends its query', { readMs: 50 }, Uint8Array.of(0, 9, 1)],
  ['is silent after its query', { idleMs: 50 }, message(words.now)],
]
for (const [title, times, sent] of silences) {
  test(`a client that ${title} is closed`, async () => {
    const { port, listener } = await listen(times)
    const socket = connect(port, '127.0.0.1')
    if (sent.length > 0) socket.write(sent)
    socket.resume()
    await once(socket, 'close')
    await listener.close()
  })
}

test('a client that waits for an answer is not closed for its silence', async () => {
  const { port, responder, listener } = await listen({ idleMs: 20 })
  const socket = connect(port, '127.0.0.1')
  socket.write(message(words.later))
  setTimeout(() => responder.release(), 80)
  assert.equal(await readMessages(socket), [words.later])
  await listener.close()
})

/** Which certificates each mode lets in: none, one of a stranger, one of the authority. */
const welcomes: readonly [TlsSettings['clientAuth'], readonly boolean[]][] = [
  ['nocert', [true, true, true]],
  ['request', [true, true, true]],
  ['require', [false, true, true]],
  ['verify_if_given', [true, false, true]],
  ['require_and_verify', [false, false, true]],
]
for (const [mode, expected] of welcomes) {
  const title = `client_auth ${mode}`
  if (certificates === undefined) {
    process.stdout.write(`# skipped: ${title}: openssl is not there\n`)
    continue
  }
  const { client, stranger, text: ca } = certificates
  test(title, async () => {
    const { port, listener } = await listen({}, mode)
    const answered: boolean[] = []
    for (const own of [{}, stranger, client]) {
      const place = { host: '127.0.0.1', port, servername: 'dns.test', ca }
      const socket = connectTls({ ...place, ...own })
      socket.on('error', () => {})
      socket.write(message(words.now))
      const outcome = Promise.race([once(socket, 'data'), once(socket, 'close')])
      const [data] = await outcome.catch(() => [undefined])
      answered.push(Buffer.isBuffer(data))
      socket.destroy()
    }
    assert.equal(answered, expected)
    await listener.close()
  })
}

test.after(() => certificates?.remove())
test.run()
