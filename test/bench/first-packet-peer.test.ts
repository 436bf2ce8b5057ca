import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { firstPacketBenchmark } from '../../bench/first-packet/first-packet.ts'
import { linearLayout } from '../../bench/first-packet/linear-layout.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('bench first-packet, a running peer')
const root = needsRoot(test, ['ip', 'iptables-nft-restore', 'iptables-nft-save'])

const size = { services: 3, endpoints: 2, protocol: 'UDP' } as const

/** A program with kube-proxy's flags that has its rules from a file, and stays. */
function standIn(folder: string): string {
  const path = join(folder, 'stand-in')
  const rules = join(folder, 'rules')
  writeFileSync(rules, [...linearLayout(size)].join(''))
  writeFileSync(
    path,
    `#!/bin/sh
[ "$3 $4" = "--proxy-mode iptables" ] || exit 9
grep -q 127.0.0.1:16443 "$2" || exit 8
iptables-nft-restore --noflush < ${rules}
exec sleep 60
`,
  )
  chmodSync(path, 0o755)
  return path
}

/** Takes every object; gives what it was asked for. */
async function openApi(): Promise<{ url: string; asked: string[]; close: () => void }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => {
      response.writeHead(201, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() }
}

root('its own rules are measured, and its cluster is removed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-first-packet-'))
  const api = await openApi()
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: '${api.url}' } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
users: [{ name: u, user: {} }]
current-context: c
`,
  )
  try {
    const options = {
      services: [size.services],
      endpoints: size.endpoints,
      mode: 'iptables-restore',
      changes: 1,
      rounds: 5,
      peer: standIn(folder),
      kubeconfig,
      peerRules: undefined,
      seconds: 1,
      repeat: 1,
      coredns: undefined,
      engine: undefined,
      only: 'udp',
    } as const
    const rows = await firstPacketBenchmark.run(options, () => {}, AbortSignal.timeout(60_000))
    const own = rows.filter(({ subject }) => subject === 'stand-in iptables')
    assert.equal(
      own.map(({ metric }) => metric),
      [
        ...['datagram, first', 'datagram, middle', 'datagram, last'],
        ...['datagram, no service', 'last / first'],
      ],
    )
    const counted = (method: string): number =>
      api.asked.filter((line) => line.startsWith(method)).length
    // A namespace, and a service and a slice for each.
    assert.is(counted('POST'), 1 + 2 * size.services)
    assert.is(counted('DELETE'), 1 + 2 * size.services)
  } finally {
    api.close()
    rmSync(folder, { recursive: true })
  }
})

test.run()
