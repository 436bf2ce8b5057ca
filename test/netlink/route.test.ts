import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../src/net/decode-error.ts'
import { NetlinkError } from '../../src/netlink/netlink-error.ts'
import { RouteConnection } from '../../src/netlink/route.ts'
import { decodeInterfaceAddress, decodeLink } from '../../src/netlink/route-objects.ts'
import { type RouteChange, watchRoute } from '../../src/netlink/watch-route.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('netlink/route')
const root = needsRoot(test)

async function withConnection(body: (connection: RouteConnection) => Promise<void> | void) {
  await inFreshNamespace(async () => {
    const connection = RouteConnection.open()
    try {
      await body(connection)
    } finally {
      connection.close()
    }
  })
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' })
}

function indexOf(connection: RouteConnection, name: string): number {
  const link = connection.listLinks().find((candidate) => candidate.name === name)
  assert.ok(link, name)
  return link?.index ?? -1
}

interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly mtu: number
  readonly flags: readonly string[]
  readonly addr_info: readonly { local: string; prefixlen: number; scope: string }[]
}

root('interfaces and addresses are those that ip lists', () =>
  withConnection((connection) => {
    connection.addVethPair('left', 'right')
    connection.setLinkUp(indexOf(connection, 'left'))
    connection.addAddress(indexOf(connection, 'left'), '10.9.0.1', 24)
    connection.addAddress(indexOf(connection, 'left'), 'fd00:9::1', 64)
    const theirs: IpLink[] = JSON.parse(ip('-j', 'addr'))
    const links = connection.listLinks()
    assert.equal(
      links.map(({ index, name, mtu, isUp, isLoopback }) => [index, name, mtu, isUp, isLoopback]),
      theirs.map(({ ifindex, ifname, mtu, flags }) => [
        ifindex,
        ifname,
        mtu,
        flags.includes('UP'),
        flags.includes('LOOPBACK'),
      ]),
    )
    assert.is(links.find(({ name }) => name === 'left')?.kind, 'veth')
    const addresses = connection
      .listAddresses()
      .map((one) => `${one.interfaceIndex} ${one.address}/${one.prefixLength} ${one.scope}`)
    assert.equal(
      addresses.sort(),
      theirs
        .flatMap(({ ifindex, addr_info }) =>
          addr_info.map(
            ({ local, prefixlen, scope }) => `${ifindex} ${local}/${prefixlen} ${scope}`,
          ),
        )
        .sort(),
    )
  }),
)

root('addresses, routes and links go as they came', () =>
  withConnection((connection) => {
    connection.addLink('bridge0', 'bridge')
    const index = indexOf(connection, 'bridge0')
    connection.setLinkUp(index)
    connection.addAddress(index, '10.9.0.1', 24)
    const local = {
      destination: '10.96.0.0',
      prefixLength: 16,
      type: 'local',
      interfaceIndex: 1,
    } as const
    const remote = {
      destination: '10.7.0.0',
      prefixLength: 16,
      type: 'unicast',
      gateway: '10.9.0.2',
    } as const
    connection.addRoute(local)
    connection.addRoute(remote)
    assert.match(
      ip('route', 'show', 'table', 'local'),
      /local 10\.96\.0\.0\/16 dev lo proto static/,
    )
    assert.match(ip('route'), /10\.7\.0\.0\/16 via 10\.9\.0\.2 dev bridge0/)
    connection.deleteRoute(local)
    connection.deleteRoute(remote)
    connection.deleteAddress(index, '10.9.0.1', 24)
    assert.not.match(ip('route', 'show', 'table', 'local'), /10\.96/)
    assert.not.match(ip('addr'), /10\.9\.0\.1/)
    connection.deleteLink(index)
    assert.equal(
      connection.listLinks().map(({ name }) => name),
      ['lo'],
    )
  }),
)

root('packets with a mark are routed by a table of their own', () =>
  withConnection((connection) => {
    const route = {
      destination: '0.0.0.0',
      prefixLength: 0,
      type: 'local',
      interfaceIndex: 1,
      table: 28_783,
    } as const
    const rules = ([4, 6] as const).map((family) => {
      return { family, priority: 4_100, mark: 0x1000, table: 28_783 }
    })
    connection.setLinkUp(1)
    connection.addRoute(route)
    for (const rule of rules) connection.addRule(rule)
    assert.match(ip('route', 'show', 'table', '28783'), /^local default dev lo proto static/)
    for (const family of ['-4', '-6']) {
      assert.match(ip(family, 'rule'), /^4100:\tfrom all fwmark 0x1000\/0x1000 lookup 28783/m)
    }
    for (const rule of rules) connection.deleteRule(rule)
    connection.deleteRoute(route)
    assert.not.match(ip('rule') + ip('-6', 'rule'), /28783/)
    const [rule] = rules
    if (rule === undefined) throw new Error('no rule')
    assert.throws(
      () => connection.deleteRule(rule),
      /delete IPv4 rule 4100: mark 4096 to table 28783: ENOENT/,
    )
  }),
)

root('a refused change names the operation and the errno', () =>
  withConnection((connection) => {
    connection.addAddress(1, '10.9.0.1', 32)
    for (const [body, message] of [
      [
        () => connection.addAddress(1, '10.9.0.1', 32),
        /^route: add address 10.9.0.1\/32 of interface 1: EEXIST/,
      ],
      [
        () => connection.deleteAddress(1, '10.9.0.2', 32),
        /delete address 10.9.0.2\/32 .*: EADDRNOTAVAIL/,
      ],
      [() => connection.deleteLink(999), /delete link 999: ENODEV/],
      [() => connection.addLink('x', 'no-such-kind'), /add link x: EOPNOTSUPP/],
    ] as const) {
      assert.throws(
        body,
        (error: unknown) => error instanceof NetlinkError && message.test(error.message),
      )
    }
  }),
)

root('changes of links and addresses are announced', () =>
  withConnection(async (connection) => {
    const ending = new AbortController()
    const seen: RouteChange[] = []
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(JSON.stringify(seen))), 5000)
      watchRoute((change) => {
        seen.push(change)
        if (change.type !== 'link' || !change.isDeleted) return
        clearTimeout(timer)
        resolve()
      }, ending.signal)
      connection.addLink('bridge0', 'bridge')
      const index = indexOf(connection, 'bridge0')
      connection.addAddress(index, '10.9.0.1', 24)
      connection.deleteLink(index)
    }).finally(() => ending.abort())
    const texts = seen.map((change) =>
      change.type === 'link'
        ? `${change.isDeleted ? 'no' : 'a'} link ${change.link.name}`
        : change.type === 'address'
          ? `${change.isDeleted ? 'no' : 'an'} address ${change.address.address}`
          : change.type,
    )
    assert.is(texts[0], 'a link bridge0')
    assert.ok(texts.includes('an address 10.9.0.1'))
    assert.ok(texts.includes('no address 10.9.0.1'))
  }),
)

test('any bytes are a link, an address, nothing or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const decode of [decodeLink, decodeInterfaceAddress]) {
        try {
          decode(bytes, 0, bytes.length)
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test.run()
