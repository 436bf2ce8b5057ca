import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NetlinkError } from '../../../src/netlink/netlink-error.ts'
import { hasTable } from '../../../src/netlink/nftables/has-object.ts'
import { countTraffic } from '../../../src/proxy/traffic/count-traffic.ts'
import { trafficTable } from '../../../src/proxy/traffic/traffic-table.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'

const test = suite('proxy/traffic/count-traffic')
const withRoot = needsRoot(test)

const served = { protocol: 'UDP', port: 5_353 } as const
const v4 = { ...served, family: 4, address: '127.0.0.1' } as const
const v6 = { ...served, family: 6, address: '::1' } as const
const quiet = { ...served, family: 4, address: '127.0.0.2' } as const

/** Sends this many datagrams from one socket. */
async function send(destination: typeof v4 | typeof v6, count: number): Promise<void> {
  const socket = createSocket(destination.family === 4 ? 'udp4' : 'udp6')
  for (let datagram = 0; datagram < count; datagram++) {
    socket.send('twelve bytes', destination.port, destination.address)
    await new Promise(setImmediate)
  }
  socket.close()
  await once(socket, 'close')
}

withRoot('packets, bytes and connections of each destination are counted', () =>
  inFreshNamespace(async () => {
    const servers = [createSocket('udp4'), createSocket({ type: 'udp6', ipv6Only: true })]
    for (const server of servers) {
      server.bind(served.port)
      await once(server, 'listening')
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const counting = countTraffic([v4, v6, quiet], promise)
    assert.ok(hasTable(trafficTable))
    await send(v4, 3)
    await send(v4, 2)
    await send(v6, 4)
    resolve()
    const counters = await counting
    for (const server of servers) server.close()
    const rows = counters.map(({ address, connections, packets, bytes }) =>
      [address, connections, packets, bytes].map(String).join(' '),
    )
    // 12 bytes behind 8 of UDP and 20 or 40 of IP.
    assert.equal(rows.sort(), ['127.0.0.1 2 5 200', '127.0.0.2 0 0 0', '::1 1 4 240'])
    assert.not.ok(hasTable(trafficTable))
  }),
)

withRoot('while one counts, another is refused', () =>
  inFreshNamespace(async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = countTraffic([v4], promise)
    const second = await countTraffic([v4], Promise.resolve()).catch((error: unknown) => error)
    assert.instance(second, NetlinkError)
    resolve()
    assert.is((await first).length, 1)
  }),
)

test.run()
