import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dns } from '../../src/cli/dns.ts'
import { readCorefile } from '../../src/cli/dns-corefile.ts'
import type { CliIo } from '../../src/cli/subcommand.ts'
import { capturedIo } from './captured-io.ts'

const test = suite('cli/dns')
const folder = mkdtempSync(join(tmpdir(), 'portolan-dns-'))
const file = (name: string): string => join(folder, name)

test.before(() => {
  writeFileSync(
    file('web.yaml'),
    `apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints:
- {addresses: [10.244.0.1], hostname: one}
- {addresses: [10.244.0.2], conditions: {ready: false}}
`,
  )
  writeFileSync(file('Corefile'), '.:5300 {\n  kubernetes cluster.local\n  whoami\n}\n')
  writeFileSync(
    file('wrong'),
    '.:5300 {\n  kubernetes cluster.local {\n    ttl x\n  }\n  forwad .\n}\n',
  )
})
test.after(() => rmSync(folder, { recursive: true }))

/** Runs `portolan dns` in this process and gives what it prints. */
async function run(words: readonly string[], texts: Record<string, string> = {}): Promise<string> {
  const { io, printed } = capturedIo()
  const input = { texts, arguments: words }
  await dns.run(input, io, new AbortController().signal)
  return printed.join('')
}

test('the Corefile that is used without any has a cluster and forwards the rest', () => {
  const io: CliIo = { out: () => {}, error: () => {}, environment: {}, hostname: 'here' }
  const [block, ...others] = readCorefile(undefined, 5353, io).blocks
  assert.equal(others, [])
  assert.equal(
    block?.keys.map(({ port }) => port),
    [5353],
  )
  const [kubernetes] = block?.settings.kubernetes ?? []
  assert.is(kubernetes?.pods, 'insecure')
  assert.equal(kubernetes?.fallthrough, ['in-addr.arpa.', 'ip6.arpa.'])
  for (const name of ['errors', 'health', 'ready', 'prometheus', 'forward', 'cache'] as const) {
    assert.ok(block?.settings[name], name)
  }
})

test('--check tells every fault with its place', async () => {
  assert.match(await run([], { check: file('Corefile') }), '1 server block, nothing is wrong')
  const message = await run([], { check: file('wrong') }).catch((error: Error) => error.message)
  assert.match(message, /wrong:3:9: .*x/)
  assert.match(message, /wrong:5:3: .*"forwad".*"forward"/)
})

test('explain names the objects and the rule', async () => {
  const texts = { conf: file('Corefile'), manifests: folder }
  const name = 'db.default.svc.cluster.local'
  const printed = await run(['explain', name], texts)
  for (const line of [
    'kubernetes  namespace default is served',
    'kubernetes  Service default/db: headless, so it stands for its ready endpoints',
    'kubernetes  EndpointSlice default/db-1: 1 of 2 ready',
    `${name}.\t5\tIN\tA\t10.244.0.1`,
  ]) {
    assert.ok(printed.split('\n').includes(line), `${line}\n${printed}`)
  }
})

test('explain follows a query to the plugin that answers', async () => {
  const printed = await run(['explain', 'absent.default.svc.cluster.local', 'SRV'], {
    conf: file('Corefile'),
    manifests: folder,
  })
  assert.match(printed, 'there is no Service default/absent')
  assert.match(printed, ';; status: NXDOMAIN')
})

test('query prints an answer like dig, or as JSON', async () => {
  const texts = { conf: file('Corefile'), manifests: folder }
  const name = '_sql._tcp.db.default.svc.cluster.local'
  const printed = await run(['query', name, 'SRV'], texts)
  assert.match(printed, `;; ANSWER\n${name}.\t5\tIN\tSRV\t0 100 5432 one.db.default.svc.cluster`)
  assert.match(printed, ';; ADDITIONAL\none.db.default.svc.cluster.local.\t5\tIN\tA\t10.244.0.1')
  const json = JSON.parse(await run(['query', name, 'SRV'], { ...texts, output: 'json' }))
  assert.is(json.answers[0].data.port, 5432)
})

const refusals: readonly [readonly string[], Record<string, string>, string][] = [
  [['serve'], {}, 'dns serve: no such action, expected query or explain'],
  [[], { workers: '0' }, '--workers: got "0", expected 1 to 64'],
  [[], { server: '127.0.0.1' }, '--server: serves no purpose here'],
  [['query'], {}, 'dns query: which name?'],
  [['query', 'a'], { server: '127.0.0.1:1' }, '127.0.0.1:1: ECONNREFUSED; give the address'],
  [['query', 'a..b'], {}, 'got "a..b", expected a domain name'],
  [['query', 'a', 'AB'], {}, 'got "AB", expected a record type'],
  [['query', 'a'], { server: '1.2.3' }, '--server: got "1.2.3", expected ADDRESS'],
  [['query', 'a'], { server: '[::1]:x' }, '--server: got "[::1]:x", expected ADDRESS'],
]
for (const [words, texts, expected] of refusals) {
  test(`${words.join(' ')} ${Object.values(texts)}: ${expected}`, async () => {
    const message = await run(words, texts).catch((error: Error) => error.message)
    assert.ok(message.includes(expected), message)
  })
}

test.run()
