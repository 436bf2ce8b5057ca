import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openNodeLocal } from '../../../src/dns/node-local/node-local.ts'
import { ConntrackConnection } from '../../../src/netlink/conntrack.ts'
import { inFreshNamespace } from '../../support/fresh-namespace.ts'
import { needsRoot } from '../../support/needs-root.ts'

const test = suite('dns/node-local')
const withRoot = needsRoot(test, ['ip', 'nft'])

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' })
}

/** Sends a datagram from a fresh socket to an echo server and waits for the answer. */
async function ask(address: string, port: number): Promise<void> {
  const server = createSocket('udp4')
  server.on('message', (message, from) => server.send(message, from.port, from.address))
  server.bind(port, address)
  await once(server, 'listening')
  const client = createSocket('udp4')
  client.send('question', port, address)
  await once(client, 'message')
  client.close()
  server.close()
}

function trackedFlows(): number {
  const conntrack = ConntrackConnection.open()
  try {
    return ([4, 6] as const).reduce(
      (count, family) => count + conntrack.listFlows({ family }).length,
      0,
    )
  } finally {
    conntrack.close()
  }
}

withRoot('its addresses answer without an entry in connection tracking, and go again', () =>
  inFreshNamespace(async () => {
    // Rules of a proxy make the kernel track connections.
    run('nft', 'add table inet tracks')
    run('nft', 'add chain inet tracks seen { type filter hook prerouting priority 0; }')
    run('nft', 'add rule inet tracks seen ct state new counter')
    const addresses = ['169.254.20.10', 'fd00:10:96::a']
    const nodeLocal = openNodeLocal(addresses, 53)
    await ask('169.254.20.10', 53)
    assert.is(trackedFlows(), 0)
    await ask('127.0.0.1', 53)
    assert.is(trackedFlows(), 1)
    for (const family of ['ip', 'ip6']) {
      assert.match(run('nft', 'list', 'table', family, 'portolan-dns'), /dport 53 notrack/)
    }
    nodeLocal.close()
    assert.not.match(run('nft', 'list', 'tables'), /portolan/)
    assert.not.match(run('ip', 'route', 'show', 'table', 'local'), /169\.254/)
    assert.not.match(run('ip', 'link'), /nodelocaldns/)
  }),
)

withRoot('a second one on the same node is refused and takes nothing from the first', () =>
  inFreshNamespace(() => {
    const first = openNodeLocal(['169.254.20.10'], 53)
    assert.throws(() => openNodeLocal(['169.254.20.10'], 53), /portolan-dns/)
    assert.match(run('ip', 'route', 'get', '169.254.20.10'), /^local/)
    first.close()
  }),
)

test.run()
