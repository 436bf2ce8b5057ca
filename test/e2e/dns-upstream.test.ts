import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DnsLab, type LabProgram } from '../support/dns-lab.ts'
import { needsRoot } from '../support/needs-root.ts'

/** A real resolver behind `forward`, on a link that loses packets, and one that hangs. */
const upstream = suite('dns: a real upstream')
let lab: DnsLab | undefined
let unbound: LabProgram | undefined
const test = needsRoot(upstream, ['ip', 'nft', 'unbound', 'dig'])

const longText = Array.from({ length: 12 }, (_, index) => `"${`${index}`.padEnd(200, 'x')}"`)

const unboundConf = `server:
  interface: 127.0.0.2
  port: 53
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "/tmp"
  pidfile: ""
  use-syslog: no
  verbosity: 1
  module-config: "iterator"
  local-zone: "test." static
  local-data: "a.test. 300 IN A 192.0.2.1"
  local-data: 'long.test. 300 IN TXT ${longText.join(' ')}'
  local-zone: "refused.test." always_refuse
  local-zone: "silent.test." deny
${Array.from({ length: 15 }, (_, index) => `  local-data: "n${index}.test. 300 IN A 192.0.2.9"`).join('\n')}
forward-zone:
  name: "broken.example."
  forward-addr: 127.0.0.9
remote-control:
  control-enable: no
`

const corefile = `.:53 {
  bind 127.0.0.1
  kubernetes cluster.local
  hosts {
    192.0.2.7 known.test
    fallthrough
  }
  forward . 127.0.0.2
  cache 30
}
`

upstream.before(async () => {
  if (process.getuid?.() !== 0) return
  lab = await DnsLab.open()
  const conf = lab.write('unbound.conf', unboundConf)
  unbound = await lab.start(/start of service/, 'unbound', '-d', '-c', conf)
  const folder = lab.write('none.yaml', '').replace('/none.yaml', '')
  await lab.portolan('--conf', lab.write('Corefile', corefile), '--manifests', folder)
})
upstream.after(() => lab?.close())

/** What dig prints, or its last words. */
async function dig(...words: string[]): Promise<string> {
  assert.ok(lab)
  const common = ['@127.0.0.1', '+time=8', '+tries=1']
  return lab.run('dig', ...common, ...words).catch((error: Error) => error.message)
}

test('answers come through, and then from the cache', async () => {
  assert.is(await dig('+short', 'a.test'), '192.0.2.1\n')
  const cached = await dig('a.test')
  assert.match(cached, /a\.test\.\s+(?:30|29|28)\s+IN\s+A\s+192\.0\.2\.1/)
})

test('an answer that was cut is asked for again over TCP, by the client', async () => {
  const answer = await dig('+bufsize=1232', 'long.test', 'TXT')
  assert.match(answer, 'Truncated, retrying in TCP mode')
  assert.match(answer, `"${'11'.padEnd(200, 'x')}"`)
})

const codes: readonly [name: string, code: string][] = [
  ['absent.test', 'NXDOMAIN'],
  ['b.refused.test', 'REFUSED'],
  ['a.broken.example', 'SERVFAIL'],
  ['a.silent.test', 'SERVFAIL'],
]
test('denials, refusals, failures and silence reach the client as codes', async () => {
  const asked = codes.map(async ([name, code]) => {
    assert.match(await dig(name), `status: ${code}`)
  })
  await Promise.all(asked)
})

const lossy = `table inet loss {
  chain output {
    type filter hook output priority 0
    ip daddr 127.0.0.2 udp dport 53 numgen inc mod 5 0 drop
    ip saddr 127.0.0.2 udp sport 53 numgen inc mod 5 1 drop
  }
}
`

test('a link that loses one packet of five each way loses no answer', async () => {
  assert.ok(lab)
  await lab.run('nft', '-f', lab.write('loss.nft', lossy))
  const answers: string[] = []
  // One after the other: what is sent again is the next packet, and so never lost three times.
  for (let index = 0; index < 15; index++) answers.push(await dig('+short', `n${index}.test`))
  await lab.run('nft', 'delete', 'table', 'inet', 'loss')
  assert.equal(
    answers.filter((answer) => answer !== '192.0.2.9\n'),
    [],
  )
})

test('an upstream that hangs takes nothing else with it, and is used again when it goes on', async () => {
  unbound?.signal('SIGSTOP')
  const late = dig('absent.example')
  assert.is(await dig('+short', 'known.test'), '192.0.2.7\n')
  assert.match(await dig('absent.ns.svc.cluster.local'), 'status: NXDOMAIN')
  assert.match(await late, 'status: SERVFAIL')
  unbound?.signal('SIGCONT')
  // A check every half second finds out.
  const deadline = Date.now() + 20_000
  while ((await dig('+short', 'n1.test')) !== '192.0.2.9\n') assert.ok(Date.now() < deadline)
})

upstream.run()
