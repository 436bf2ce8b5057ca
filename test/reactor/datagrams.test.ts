import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import * as assert from 'uvu/assert'
import {
  addressRecordBytes,
  readPeerAddress,
  writeAddressRecord,
} from '../../src/reactor/address-record.ts'
import type { DatagramBatch, DatagramHandler } from '../../src/reactor/datagram.ts'
import { errnos } from '../../src/reactor/stream-handler.ts'
import { contract } from './support/contract.ts'
import { loopback, withReactor } from './support/with-reactor.ts'

/** The text of one datagram of a batch. */
function textOf(batch: DatagramBatch, index: number): string {
  const offset = batch.offset(index)
  return batch.bytes.toString('latin1', offset, offset + batch.length(index))
}

/** Answers each datagram with its bytes in capitals. */
const shouting: DatagramHandler = {
  onBatch: (_socket, batch) => {
    for (let index = 0; index < batch.count; index++) {
      const answer = textOf(batch, index).toUpperCase()
      batch.replyBytes.write(answer, batch.replyOffset(index), 'latin1')
      batch.reply(index, answer.length)
    }
  },
  onError: () => {},
}

/** What src/reactor promises, on every engine. */
const { test, run } = contract('datagrams')

test('each datagram of a burst is answered to whom it came from', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = await reactor.openDatagram({ address: loopback }, shouting)
    const peers = Array.from({ length: 5 }, () => createSocket('udp4'))
    const answers = peers.map(() => [] as string[])
    const done = peers.map(async (peer, index) => {
      const own = answers[index] ?? []
      peer.on('message', (bytes) => own.push(bytes.toString()))
      for (let turn = 0; turn < 40; turn++) {
        peer.send(`hello ${index}.${turn}`, server.address.port, '127.0.0.1')
      }
      while (own.length < 40) await once(peer, 'message')
    })
    await Promise.all(done)
    for (const [index, own] of answers.entries()) {
      assert.equal(
        own.sort(),
        Array.from({ length: 40 }, (_, turn) => `HELLO ${index}.${turn}`).sort(),
      )
    }
    for (const peer of peers) peer.close()
  }))

test('an answer can come later, by the record of its addresses', (engine) =>
  withReactor(engine, async (reactor) => {
    const records: Uint8Array[] = []
    const server = await reactor.openDatagram(
      { address: loopback },
      {
        onBatch: (_socket, batch) => {
          const record = new Uint8Array(addressRecordBytes)
          batch.copyAddress(0, record, 0)
          records.push(record)
        },
        onError: () => {},
      },
    )
    const peer = createSocket('udp4')
    peer.send('first', server.address.port, '127.0.0.1')
    while (records.length === 0) await new Promise(setImmediate)
    const [record = new Uint8Array()] = records
    assert.equal(readPeerAddress(record, 0), { address: '127.0.0.1', port: peer.address().port })
    const answered = once(peer, 'message')
    assert.is(server.send(record, 0, Buffer.from('.later.'), 1, 5), true)
    assert.is(String((await answered)[0]), 'later')
    peer.close()
  }))

test('sockets of ours talk to each other, connected or by record, with large and empty datagrams', (engine) =>
  withReactor(engine, async (reactor) => {
    const received: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = await reactor.openDatagram({ address: loopback }, shouting)
    const counting: DatagramHandler = {
      onBatch: (_socket, batch) => {
        for (let index = 0; index < batch.count; index++) received.push(batch.length(index))
        if (received.length === 4) resolve()
      },
      onError: () => {},
    }
    const connected = await reactor.openDatagram(
      { address: loopback, peer: server.address },
      counting,
    )
    const free = await reactor.openDatagram({ address: loopback }, counting)
    const record = new Uint8Array(addressRecordBytes)
    writeAddressRecord(record, 0, server.address)
    const large = Buffer.alloc(60_000, 'a')
    connected.send(record, 0, large, 0, large.length)
    connected.send(record, 0, large, 0, 0)
    free.send(record, 0, large, 0, 0)
    free.send(record, 0, large, 10, 5)
    await promise
    assert.equal(
      received.sort((a, b) => a - b),
      [0, 0, 5, 60_000],
    )
  }))

test('both families work', (engine) =>
  withReactor(engine, async (reactor) => {
    const server = await reactor.openDatagram({ address: { address: '::1', port: 0 } }, shouting)
    const peer = createSocket('udp6')
    const answered = once(peer, 'message')
    peer.send('six', server.address.port, '::1')
    assert.is(String((await answered)[0]), 'SIX')
    peer.close()
  }))

test('a connected socket learns that nobody listens', (engine) =>
  withReactor(engine, async (reactor) => {
    const gone = createSocket('udp4')
    gone.bind(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address()
    gone.close()
    const { promise, resolve } = Promise.withResolvers<number>()
    const socket = await reactor.openDatagram(
      { address: loopback, peer: { address: '127.0.0.1', port } },
      { onBatch: () => {}, onError: (_socket, errno) => resolve(errno) },
    )
    socket.send(new Uint8Array(addressRecordBytes), 0, Buffer.from('x'), 0, 1)
    assert.is(await promise, errnos.ECONNREFUSED)
  }))

test(
  'an answer leaves from the address that was asked',
  (engine) =>
    withReactor(engine, async (reactor) => {
      const any = { address: '0.0.0.0', port: 0 }
      const server = await reactor.openDatagram({ address: any }, shouting)
      const peer = createSocket('udp4')
      const answered = once(peer, 'message')
      peer.send('who', server.address.port, '127.0.0.7')
      assert.is((await answered)[1].address, '127.0.0.7')
      peer.close()
    }),
  'portable',
)

test('an address that is taken is an error that says so', (engine) =>
  withReactor(engine, async (reactor) => {
    const { address } = await reactor.openDatagram({ address: loopback }, shouting)
    try {
      await reactor.openDatagram({ address }, shouting)
      assert.unreachable()
    } catch (error) {
      assert.match(String(error), /open UDP 127\.0\.0\.1:\d+: .*another process listens there/)
    }
  }))

run()
