import { once } from 'node:events'
import type { Socket } from 'node:net'
import * as assert from 'uvu/assert'
import type { Reactor } from '../../src/reactor/reactor.ts'
import { Relay } from '../../src/reactor/relay.ts'
import type { SocketAddress } from '../../src/reactor/socket-address.ts'
import { errnos } from '../../src/reactor/stream-handler.ts'
import { contract } from './support/contract.ts'
import { connectPeer, pattern, readAll, servePeer, stillness } from './support/peer.ts'
import { Recorder } from './support/recorder.ts'
import { loopback, withReactor } from './support/with-reactor.ts'

/** A relay to `target`; gives its address and what its pairs ended with. */
async function openRelay(
  reactor: Reactor,
  target: SocketAddress,
  idleTimeoutMs = 0,
): Promise<{ address: SocketAddress; ends: number[]; ended: Promise<void> }> {
  const ends: number[] = []
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const relay = new Relay(reactor, (_client, errno) => {
    ends.push(errno)
    resolve()
  })
  const front = new Recorder({
    onOpen: (client) => {
      const server = reactor.connect(target, { timeoutMs: 5000 }, relay)
      relay.join(client, server, idleTimeoutMs)
    },
  })
  const { address } = await reactor.listen(loopback, { startsPaused: true }, front)
  return { address, ends, ended }
}

/** What src/reactor promises, on every engine. */
const { test, run } = contract('relay')

test('both directions arrive whole, and end on their own', (engine) =>
  withReactor(engine, async (reactor) => {
    const up = pattern(2_000_000, 1)
    const down = pattern(1_500_000, 2)
    const received = Promise.withResolvers<Buffer>()
    const { address: target, server } = await servePeer((socket) => {
      socket.end(down)
      received.resolve(readAll(socket))
    })
    const relay = await openRelay(reactor, target)
    const client = await connectPeer(relay.address)
    assert.ok((await readAll(client)).equals(down))
    // The server's direction has ended; ours has not begun.
    client.end(up)
    assert.ok((await received.promise).equals(up))
    await relay.ended
    assert.equal(relay.ends, [0])
    server.close()
  }))

test('a reset of one side is a reset of the other', (engine) =>
  withReactor(engine, async (reactor) => {
    const sockets: Socket[] = []
    const { address: target, server } = await servePeer((socket) => {
      socket.on('error', () => {})
      socket.write('x')
      sockets.push(socket)
    })
    const relay = await openRelay(reactor, target)
    const client = await connectPeer(relay.address)
    await once(client, 'data')
    const failed = once(client, 'error')
    sockets[0]?.resetAndDestroy()
    assert.is((await failed)[0].code, 'ECONNRESET')
    await relay.ended
    assert.equal(relay.ends, [errnos.ECONNRESET])
    server.close()
  }))

test('a server that is not there resets the client', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address: target, server } = await servePeer(() => {})
    server.close()
    await once(server, 'close')
    const relay = await openRelay(reactor, target)
    const client = await connectPeer(relay.address)
    const failed = once(client, 'error')
    client.resume()
    assert.is((await failed)[0].code, 'ECONNRESET')
    await relay.ended
    assert.equal(relay.ends, [errnos.ECONNREFUSED])
  }))

test('a slow receiver stops its sender, and memory stays bounded', (engine) =>
  withReactor(engine, async (reactor) => {
    const sockets: Socket[] = []
    const { address: target, server } = await servePeer((socket) => {
      socket.pause()
      sockets.push(socket)
    })
    const relay = await openRelay(reactor, target)
    const connected = once(server, 'connection')
    const client = await connectPeer(relay.address)
    const sent = pattern(24_000_000)
    for (let offset = 0; offset < sent.length; offset += 65_536) {
      client.write(sent.subarray(offset, offset + 65_536))
    }
    client.end()
    await connected
    await stillness(() => client.writableLength)
    assert.ok(client.writableLength > 2_000_000)
    const [slow] = sockets
    assert.ok(slow !== undefined)
    assert.ok((await readAll(slow)).equals(sent))
    slow.end()
    client.resume()
    await relay.ended
    assert.equal(relay.ends, [0])
    server.close()
  }))

test('pairs on which nothing happens end', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address: target, server } = await servePeer((socket) => {
      socket.on('error', () => {}).resume()
    })
    const relay = await openRelay(reactor, target, 50)
    const client = await connectPeer(relay.address)
    client.resume()
    await relay.ended
    assert.equal(relay.ends, [errnos.ECONNABORTED])
    server.close()
  }))

run()
