import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { openReactor } from '../../src/reactor/open-reactor.ts'
import { ReactorError } from '../../src/reactor/reactor-error.ts'
import { errnos } from '../../src/reactor/stream-handler.ts'
import { contract } from './support/contract.ts'
import { connectPeer, pattern, readAll, servePeer } from './support/peer.ts'
import { Recorder } from './support/recorder.ts'
import { loopback, withReactor } from './support/with-reactor.ts'

/** What src/reactor promises, on every engine. */
const { test, run } = contract('streams')

test('bytes come back in order, whatever their number', (engine) =>
  withReactor(engine, async (reactor) => {
    const echo = new Recorder({
      onData: (id, _bytes, offset, length) => {
        if (!reactor.forward(id, offset, length)) reactor.pause(id)
      },
      onDrain: (id) => reactor.resume(id),
      onEnd: (id) => reactor.shutdown(id),
    })
    const { address } = await reactor.listen(loopback, {}, echo)
    const sent = pattern(3_000_000)
    const peer = await connectPeer(address)
    peer.end(sent)
    assert.ok((await readAll(peer)).equals(sent))
    assert.is(await echo.event('close'), 'close 0')
  }))

test('a peer that ends can still be written to', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder()
    const { address } = await reactor.listen(loopback, {}, server)
    const peer = await connectPeer(address)
    peer.end('question')
    await server.event('end')
    assert.equal(server.events, ['open', 'data question', 'end'])
    assert.equal(reactor.peerAddress(server.connection), {
      address: '127.0.0.1',
      port: peer.localPort,
    })
    assert.equal(reactor.localAddress(server.connection), address)
    reactor.write(server.connection, Buffer.from('the answer'), 4, 6)
    reactor.shutdown(server.connection)
    assert.is((await readAll(peer)).toString(), 'answer')
    assert.is(await server.event('close'), 'close 0')
  }))

test('we can end first and still read', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder({ onOpen: (id) => reactor.shutdown(id) })
    const { address } = await reactor.listen(loopback, {}, server)
    const peer = await connectPeer(address)
    assert.is((await readAll(peer)).length, 0)
    peer.end('late')
    await server.event('close')
    assert.equal(server.events, ['open', 'data late', 'end', 'close 0'])
  }))

test('a reset by the peer is an errno, a reset by us an error there', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder()
    const { address } = await reactor.listen(loopback, {}, server)
    const first = await connectPeer(address)
    await server.event('open')
    first.resetAndDestroy()
    assert.is(await server.event('close'), `close ${errnos.ECONNRESET}`)
    const second = await connectPeer(address)
    const failed = once(second, 'error')
    await server.until(() => server.events.filter((event) => event === 'open').length === 2)
    reactor.reset(server.connection)
    second.resume()
    assert.is((await failed)[0].code, 'ECONNRESET')
    await server.until(() => server.events.at(-1) === `close ${errnos.ECONNABORTED}`)
  }))

test('what is written before a connection is open goes out first', (engine) =>
  withReactor(engine, async (reactor) => {
    const received = Promise.withResolvers<Buffer>()
    const { address, server } = await servePeer((socket) => {
      received.resolve(readAll(socket))
      socket.end()
    })
    const client = new Recorder({ onOpen: (id) => reactor.write(id, Buffer.from('2'), 0, 1) })
    const id = reactor.connect(address, { timeoutMs: 5000 }, client)
    reactor.write(id, Buffer.from('1'), 0, 1)
    await client.event('end')
    reactor.write(id, Buffer.from('3'), 0, 1)
    reactor.shutdown(id)
    assert.is((await received.promise).toString(), '123')
    assert.equal(await client.event('close'), 'close 0')
    server.close()
  }))

test('a refused connection closes without having been open', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address, server } = await servePeer(() => {})
    server.close()
    await once(server, 'close')
    const client = new Recorder()
    reactor.connect(address, { timeoutMs: 5000 }, client)
    await client.event('close')
    assert.equal(client.events, [`close ${errnos.ECONNREFUSED}`])
  }))

test('a paused connection delivers nothing, and everything afterwards', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder({
      onData: (id) => {
        if (server.chunks.length === 1) {
          reactor.pause(id)
          reactor.startTimer(50, id, () => reactor.resume(id))
        } else if (server.chunks.length === 2) pausedEvents = server.events.length
      },
    })
    let pausedEvents = 0
    const { address } = await reactor.listen(loopback, {}, server)
    const peer = await connectPeer(address)
    const sent = pattern(2_000_000)
    peer.end(sent)
    await server.event('end')
    assert.is(pausedEvents, 3)
    assert.ok(server.bytes.equals(sent))
  }))

test('a listener can hold back all bytes until they are wanted', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder()
    const { address } = await reactor.listen(loopback, { startsPaused: true }, server)
    const peer = await connectPeer(address)
    peer.end('early')
    await server.event('open')
    await new Promise<void>((resolve) => void reactor.startTimer(50, 0, () => resolve()))
    assert.equal(server.events, ['open'])
    reactor.resume(server.connection)
    await server.event('end')
    assert.equal(server.events, ['open', 'data early', 'end'])
  }))

test('a writer is stopped, told to go on, and cut off when it does not listen', (engine) =>
  withReactor(
    engine,
    async (reactor) => {
      const server = new Recorder()
      const { address } = await reactor.listen(loopback, {}, server)
      const peer = await connectPeer(address)
      await server.event('open')
      const chunk = pattern(16_384)
      let sentBytes = chunk.length
      while (reactor.write(server.connection, chunk, 0, chunk.length)) {
        sentBytes += chunk.length
        // Lets the kernel's buffers fill.
        await new Promise(setImmediate)
      }
      assert.ok(reactor.pendingBytes(server.connection) > 65_536)
      peer.resume()
      await server.event('drain')
      assert.ok(reactor.pendingBytes(server.connection) <= 32_768)
      reactor.write(server.connection, chunk, 0, 10)
      assert.ok(sentBytes > 65_536)
      peer.pause()
      for (let turn = 0; turn < 2000; turn++) {
        reactor.write(server.connection, chunk, 0, chunk.length)
        if (turn % 10 === 0) await new Promise(setImmediate)
      }
      assert.is(await server.event('close'), `close ${errnos.ENOBUFS}`)
      peer.destroy()
    },
    { limits: { pendingBytes: 65_536 } },
  ))

test('close flushes, drops what still comes, and does not wait for ever', (engine) =>
  withReactor(
    engine,
    async (reactor) => {
      const server = new Recorder({
        onOpen: (id) => {
          reactor.write(id, Buffer.from('bye'), 0, 3)
          reactor.close(id)
        },
      })
      const { address } = await reactor.listen(loopback, {}, server)
      const quick = await connectPeer(address)
      quick.write('not read')
      assert.is((await readAll(quick)).toString(), 'bye')
      quick.end()
      await server.event('close')
      assert.equal(server.events, ['open', 'close 0'])
      const stubborn = await connectPeer(address)
      stubborn.on('error', () => {})
      assert.is((await readAll(stubborn)).toString(), 'bye')
      await server.until(() => server.events.at(-1) === `close ${errnos.ETIMEDOUT}`)
      stubborn.destroy()
    },
    { limits: { lingerMs: 50 } },
  ))

test('idle connections are told so, busy ones are not', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder({ onOpen: (id) => reactor.setIdleTimeout(id, 100) })
    const { address } = await reactor.listen(loopback, {}, server)
    const peer = await connectPeer(address)
    const start = performance.now()
    for (let turn = 0; turn < 8; turn++) {
      peer.write('x')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await server.event('timeout')
    assert.ok(performance.now() - start > 150)
    reactor.setIdleTimeout(server.connection, 0)
    peer.destroy()
  }))

test('an address that is taken is an error that says so', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address } = await reactor.listen(loopback, {}, new Recorder())
    try {
      await reactor.listen(address, {}, new Recorder())
      assert.unreachable()
    } catch (error) {
      assert.match(String(error), /listen on 127\.0\.0\.1:\d+: .*another process listens there/)
    }
  }))

test('listeners with a shared address share its connections', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder({ onOpen: (id) => reactor.close(id) })
    const first = await reactor.listen(loopback, { isShared: true }, server)
    const second = await reactor.listen(first.address, { isShared: true }, server)
    first.close()
    const peer = await connectPeer(second.address)
    peer.end()
    assert.is(await server.event('close'), 'close 0')
    peer.resume()
  }))

test('kept bytes stay until they are sent or released, once', (engine) =>
  withReactor(engine, async (reactor) => {
    const leases: number[] = []
    let seen: { bytes: Buffer; offset: number } | undefined
    const server = new Recorder({
      onData: (_id, bytes, offset) => {
        if (server.chunks.length <= 2) leases.push(reactor.keep())
        else seen = { bytes, offset }
      },
    })
    const { address } = await reactor.listen(loopback, {}, server)
    const peer = await connectPeer(address)
    for (const [index, text] of ['one', 'two', 'three'].entries()) {
      peer.write(text)
      await server.until(() => server.chunks.length === index + 1)
    }
    await new Promise(setImmediate)
    assert.is(reactor.counts.buffers, 2)
    // Delivered bytes are overwritten after the callback, so that a use too late is seen.
    assert.is(seen?.bytes[seen.offset], 0xdb)
    const [first = -1, second = -1] = leases
    reactor.send(server.connection, first, 0, 3)
    reactor.release(second)
    assert.throws(() => reactor.release(second), 'given away before')
    assert.throws(() => reactor.send(server.connection, first, 0, 1), 'given away before')
    assert.throws(() => reactor.keep(), 'outside of onData')
    assert.throws(() => reactor.forward(server.connection, 0, 1), 'outside of onData')
    reactor.shutdown(server.connection)
    assert.is((await readAll(peer)).toString(), 'one')
    peer.end()
    await server.event('close')
  }))

test('ids of ended connections do nothing', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = new Recorder({ onOpen: (id) => reactor.close(id) })
    const { address } = await reactor.listen(loopback, {}, server)
    const ids: number[] = []
    for (let turn = 1; turn <= 3; turn++) {
      const peer = await connectPeer(address)
      peer.end()
      await server.until(() => server.events.length === 2 * turn)
      ids.push(server.connection)
      peer.resume()
    }
    assert.is(new Set(ids).size, 3)
    const [old = -1] = ids
    reactor.write(old, Buffer.from('x'), 0, 1)
    reactor.reset(old)
    reactor.resume(old)
    reactor.setIdleTimeout(old, 10)
    assert.is(reactor.pendingBytes(old), 0)
    assert.is(reactor.peerAddress(old), undefined)
  }))

test('the end of the reactor is the end of all connections', (engine) => {
  const server = new Recorder()
  return withReactor(engine, async (reactor) => {
    const { address } = await reactor.listen(loopback, {}, server)
    for (let turn = 0; turn < 100; turn++) {
      const peer = await connectPeer(address)
      peer.on('error', () => {}).resume()
      peer.write('x')
      // Pending bytes go with it.
      reactor.connect(address, { timeoutMs: 1000 }, new Recorder())
    }
    await server.until(() => server.chunks.length >= 100)
  }).then(() => {
    const ends = server.events.filter((event) => event === `close ${errnos.ECANCELED}`)
    assert.ok(ends.length >= 100)
  })
})

test('a reactor that has ended takes nothing, and keeps nothing that was under way', async (engine) => {
  const abort = new AbortController()
  const reactor = openReactor({ engine, isChecked: true }, abort.signal)
  const handler = new Recorder()
  const opening = [
    reactor.listen(loopback, {}, handler),
    reactor.openDatagram({ address: loopback }, { onBatch() {}, onError() {} }),
  ]
  abort.abort()
  await Promise.all(opening)
  await reactor.closed
  const refused = (error: unknown): boolean =>
    error instanceof ReactorError && error.errno === errnos.ECANCELED
  const late = await reactor.listen(loopback, {}, handler).catch((error: unknown) => error)
  assert.ok(refused(late))
  const socket = await reactor
    .openDatagram({ address: loopback }, { onBatch() {}, onError() {} })
    .catch((error: unknown) => error)
  assert.ok(refused(socket))
  assert.throws(() => reactor.connect(loopback, { timeoutMs: 100 }, handler), refused)
  const { listeners, datagramSockets, connections } = reactor.counts
  assert.equal([listeners, datagramSockets, connections], [0, 0, 0])
})

run()
