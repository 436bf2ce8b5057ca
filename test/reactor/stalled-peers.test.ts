import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bufferBytes } from '../../src/reactor/descriptors/buffer-pool.ts'
import type { EngineName, Reactor } from '../../src/reactor/reactor.ts'
import { errnos } from '../../src/reactor/stream-handler.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'
import { connectPeer, stillness } from './support/peer.ts'
import { Recorder } from './support/recorder.ts'
import { loopback, withReactor } from './support/with-reactor.ts'

const tests = suite('stalled peers')
const test = needsRoot(tests, ['ip', 'unshare'])

const receiveCount = 32
const limits = { receiveBytes: receiveCount * bufferBytes, pendingBytes: 4 * bufferBytes }

/** The kernel holds little of what nobody reads, so that little has to be sent. */
function holdLittle(): void {
  for (const name of ['tcp_rmem', 'tcp_wmem']) {
    writeFileSync(`/proc/sys/net/ipv4/${name}`, '4096 16384 16384')
  }
}

/** Connections of peers that send and never read, until nothing moves any more. */
async function stall(port: number, count: number): Promise<readonly Socket[]> {
  const peers: Socket[] = []
  for (let index = 0; index < count; index++) {
    const peer = await connectPeer({ address: '127.0.0.1', port })
    peer.pause()
    peer.write(Buffer.alloc(16 * bufferBytes, 'x'))
    peers.push(peer)
  }
  await stillness(() => peers.reduce((sum, peer) => sum + peer.writableLength, 0))
  return peers
}

/** With fewer stalled peers than buffers nobody is reset. */
async function answersOthers(reactor: Reactor, count: number): Promise<void> {
  const echo = new Recorder({
    onData: (id, _bytes, offset, length) => {
      if (!reactor.forward(id, offset, length)) reactor.pause(id)
    },
    onDrain: (id) => reactor.resume(id),
  })
  const { address } = await reactor.listen(loopback, {}, echo)
  const stalled = await stall(address.port, count)
  const peer = await connectPeer(address)
  peer.write('still there?')
  const [answer] = await once(peer, 'data')
  assert.is(String(answer), 'still there?')
  const resets = echo.events.filter((event) => event.startsWith('close'))
  if (count < receiveCount) assert.equal(resets, [])
  else assert.is(resets[0], `close ${errnos.ENOBUFS}`)
  for (const each of [peer, ...stalled]) each.destroy()
}

for (const engine of ['epoll', 'uring'] as const satisfies readonly EngineName[]) {
  for (const count of [receiveCount / 2, receiveCount + 8]) {
    test(`${engine}: who reads is served while ${count} do not`, () =>
      inFreshNamespace(async () => {
        holdLittle()
        await withReactor(engine, (reactor) => answersOthers(reactor, count), { limits })
      }))
  }
}

tests.run()
