import process from 'node:process'
import * as assert from 'uvu/assert'
import { type LabScene, labSuite } from '../support/lab-scene.ts'
import { runPortolan } from '../support/proxy-daemon.ts'

const web = { 4: '10.96.5.1', 6: 'fd00:10:96::501' } as const

/** Somebody else's table: marks what comes in, and counts what leaves with and without the mark. */
const foreignTable = `table inet foreign {
  chain marks { type filter hook prerouting priority mangle; meta mark set 0x12000001; }
  chain sends { type route hook output priority mangle; meta mark set 0x12000001; }
  chain kept { type filter hook postrouting priority 200
    tcp dport 8080 meta mark 0x12000001 counter name "kept"
    tcp dport 8080 meta mark != 0x12000001 counter name "lost"
  }
  counter kept { }
  counter lost { }
}`

const { test, run } = labSuite('manners', [
  { name: 'web', clusterIPs: [web[4], web[6]], pods: ['a', 'b', 'c'] },
])

function nft(scene: LabScene, ...args: readonly string[]): string {
  return scene.lab.run('node', 'nft', ...args)
}

async function assertServed(scene: LabScene): Promise<void> {
  for (const address of [web[4], web[6]]) {
    const answers = await scene.connect('outside', address, { count: 5 })
    assert.equal(answers.failures, {})
  }
}

test('the mark of others comes through, masqueraded or not', async (scene) => {
  nft(scene, foreignTable)
  for (const source of ['outside', 'pod-b', 'node'] as const) {
    for (const address of [web[4], web[6]]) {
      const answers = await scene.connect(source, address)
      assert.equal(answers.failures, {}, source)
    }
  }
  const packets = (name: string): number => {
    const text = nft(scene, 'list', 'counter', 'inet', 'foreign', name)
    return Number(/packets (\d+)/.exec(text)?.[1])
  }
  assert.is(packets('lost'), 0)
  assert.ok(packets('kept') > 0)
})

test('nft lists our tables, to its end', (scene) => {
  for (const family of ['ip', 'ip6']) {
    const text = nft(scene, 'list', 'table', family, 'portolan')
    assert.match(text, new RegExp(`^table ${family} portolan {`))
    assert.match(text, /lab\/web/)
    assert.match(text, /}\n$/)
  }
  return Promise.resolve()
})

for (const [what, ...command] of [
  ['rules are flushed', 'flush', 'table', 'ip', 'portolan'],
  ['the table is deleted', 'delete', 'table', 'ip6', 'portolan'],
  ['a map is flushed', 'flush', 'map', 'ip', 'portolan', 'frontends'],
] as const) {
  test(`${what} by others: repaired within 100 ms`, async (scene) => {
    const tries: number[] = []
    // The bound is ours, the machine may be somebody else's: the best of several counts.
    while (tries.length < 5 && !tries.some((ms) => ms <= 100)) {
      const after = scene.daemon.records.length
      nft(scene, ...command)
      const started = performance.now()
      await scene.daemon.logged(({ msg }) => msg === 'repaired', after)
      tries.push(Math.round(performance.now() - started))
      await assertServed(scene)
    }
    process.stdout.write(`# ${what}: repaired after ${tries.join(', ')} ms\n`)
    assert.ok(Math.min(...tries) <= 100, `repaired after ${tries.join(', ')} ms`)
  })
}

test('the tables of others are untouched, and cause no repair', async (scene) => {
  const before = nft(scene, 'list', 'chain', 'inet', 'foreign', 'marks')
  const after = scene.daemon.records.length
  nft(scene, 'add', 'rule', 'inet', 'foreign', 'marks', 'counter')
  await scene.serve([{ name: 'web', clusterIPs: [web[4], web[6]], pods: ['a', 'b'] }])
  const kinds = scene.daemon.records.slice(after).map(({ kind }) => kind)
  assert.not(kinds.includes('repair'))
  const now = nft(scene, 'list', 'chain', 'inet', 'foreign', 'marks')
  assert.ok(now.startsWith(before.slice(0, before.lastIndexOf('\t}'))), now)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the proxy well and leaves the rules`, async (scene) => {
    const before = nft(scene, 'list', 'tables')
    assert.is(await scene.daemon.end(signal), 0)
    assert.is(nft(scene, 'list', 'tables'), before)
    await assertServed(scene)
    await scene.startDaemon()
  })
}

test('--cleanup leaves nothing of ours and everything of others', async (scene) => {
  assert.is(await scene.daemon.end('SIGTERM'), 0)
  runPortolan(scene.lab, 'proxy', '--cleanup')
  assert.is(nft(scene, 'list', 'tables').trim(), 'table inet foreign')
  const again = runPortolan(scene.lab, 'proxy', '--cleanup')
  assert.match(again, /nothing of ours/)
})

run()
