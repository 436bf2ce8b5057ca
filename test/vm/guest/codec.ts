import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findBinary } from '../../../scripts/support/find-binary.ts'
import { IpvsConnection } from '../../../src/ipvs/ipvs-connection.ts'
import { serviceFlags } from '../../../src/ipvs/ipvs-tables.ts'
import { loadScheduler } from '../../../src/ipvs/load-scheduler.ts'
import type { VirtualServer, VirtualServerKey } from '../../../src/ipvs/virtual-server.ts'
import { NetlinkError } from '../../../src/netlink/netlink-error.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'

const test = suite('vm/codec')

async function withConnection(body: (connection: IpvsConnection) => void): Promise<void> {
  await inFreshNamespace(() => {
    const connection = IpvsConnection.open()
    try {
      body(connection)
    } finally {
      connection.close()
    }
  })
}

const web: VirtualServerKey = {
  kind: 'address',
  family: 4,
  protocol: 'TCP',
  address: '10.96.0.10',
  port: 80,
}
const dns: VirtualServerKey = {
  kind: 'address',
  family: 6,
  protocol: 'UDP',
  address: 'fd00:10:96::53',
  port: 53,
}
const marked: VirtualServerKey = { kind: 'mark', family: 4, mark: 0x5000_0001 }

function server(key: VirtualServerKey, rest: Partial<VirtualServer> = {}): VirtualServer {
  return { key, scheduler: 'rr', flags: 0, timeoutSeconds: 0, ...rest }
}

/** The lines of ipvsadm's listing in which counters do not stand. */
function ipvsadm(): string[] {
  return execFileSync('ipvsadm', ['-Sn'], { encoding: 'utf8' }).trim().split('\n').sort()
}

test('what is written is read back, and ipvsadm lists the same', () =>
  withConnection((connection) => {
    const sticky = { flags: serviceFlags.persistent, timeoutSeconds: 600 }
    const servers = [server(web, { scheduler: 'wlc' }), server(dns, sticky), server(marked)]
    connection.apply([
      ...servers.map((each) => ({ kind: 'add-server', server: each }) as const),
      {
        kind: 'add-destination',
        key: web,
        destination: { address: '10.1.0.4', port: 8080, weight: 3 },
      },
      {
        kind: 'add-destination',
        key: dns,
        destination: { address: 'fd00:1::4', port: 5353, weight: 0 },
      },
    ])
    const listed = connection.listServers().map((each) => each.server)
    const byName = (list: readonly VirtualServer[]): VirtualServer[] =>
      [...list].sort(
        (left, right) =>
          left.scheduler.localeCompare(right.scheduler) ||
          JSON.stringify(left.key).localeCompare(JSON.stringify(right.key)),
      )
    assert.equal(byName(listed), byName(servers))
    assert.equal(connection.listDestinations(dns), [
      {
        address: 'fd00:1::4',
        port: 5353,
        weight: 0,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
      },
    ])
    if (findBinary('ipvsadm') === undefined) return
    assert.equal(ipvsadm(), [
      '-A -f 1342177281 -s rr',
      '-A -t 10.96.0.10:80 -s wlc',
      '-A -u [fd00:10:96::53]:53 -s rr -p 600',
      '-a -t 10.96.0.10:80 -r 10.1.0.4:8080 -m -w 3',
      '-a -u [fd00:10:96::53]:53 -r [fd00:1::4]:5353 -m -w 0',
    ])
  }))

/** Not `twos`, which Debian's kernels leave out. */
for (const scheduler of 'rr wrr lc wlc lblc lblcr sh dh mh sed nq ovf fo'.split(' ')) {
  test(`scheduler ${scheduler} is taken`, () =>
    withConnection((connection) => {
      const flags = ['sh', 'mh'].includes(scheduler)
        ? serviceFlags.scheduler1 | serviceFlags.scheduler2
        : 0
      loadScheduler(scheduler)
      connection.apply([{ kind: 'add-server', server: server(web, { scheduler, flags }) }])
      assert.equal(connection.listServers()[0]?.server, server(web, { scheduler, flags }))
    }))
}

test('edits and deletions hit one object', () =>
  withConnection((connection) => {
    const destination = { address: '10.1.0.4', port: 8080, weight: 1 }
    connection.apply([
      { kind: 'add-server', server: server(web) },
      { kind: 'add-server', server: server(marked) },
      { kind: 'add-destination', key: web, destination },
      { kind: 'add-destination', key: web, destination: { ...destination, port: 8081 } },
      { kind: 'edit-destination', key: web, destination: { ...destination, weight: 0 } },
      { kind: 'edit-server', server: server(web, { scheduler: 'lc' }) },
      { kind: 'delete-destination', key: web, destination: { ...destination, port: 8081 } },
      { kind: 'delete-server', key: marked },
    ])
    const [listed, ...others] = connection.listServers()
    assert.equal([listed?.server, others.length], [server(web, { scheduler: 'lc' }), 0])
    assert.is(listed?.statistics.connections, 0n)
    assert.equal(
      connection.listDestinations(web).map(({ port, weight }) => [port, weight]),
      [[8080, 0]],
    )
  }))

test('a refused operation is named, and the others have taken effect', () =>
  withConnection((connection) => {
    const destination = { address: '10.1.0.4', port: 8080, weight: 1 }
    let error: unknown
    try {
      connection.apply([
        { kind: 'add-server', server: server(web) },
        { kind: 'edit-destination', key: web, destination },
        { kind: 'delete-server', key: marked },
        { kind: 'add-destination', key: web, destination },
      ])
    } catch (caught) {
      error = caught
    }
    assert.instance(error, NetlinkError)
    if (!(error instanceof NetlinkError)) return
    assert.equal(
      error.failures.map(({ operation }) => operation),
      [
        'edit destination 10.1.0.4:8080 weight 1 of virtual server TCP 10.96.0.10:80',
        'delete virtual server IPv4 mark 0x50000001',
      ],
    )
    assert.is(connection.listDestinations(web).length, 1)
  }))

test('timeouts are set and read', () =>
  withConnection((connection) => {
    connection.setTimeouts({ tcp: 800, tcpFin: 100, udp: 200 })
    assert.equal(connection.timeouts(), { tcp: 800, tcpFin: 100, udp: 200 })
    assert.match(connection.information().version, /^1\.2\./)
  }))

test.run()
