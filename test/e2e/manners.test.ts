import process from 'node:process'
import * as assert from 'uvu/assert'
import { type LabScene, labSuite } from '../support/lab-scene.ts'
import { foreignRules, ownRules } from '../support/node-rules.ts'
import { type LogRecord, runPortolan } from '../support/proxy-daemon.ts'

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

/** The daemon has put right what somebody else did to its rules: when it was told, or when it looked. To look
 *  and find nothing wrong is no repair. */
function isRepair({ msg, kind, operations }: LogRecord): boolean {
  return (msg === 'repaired' || kind === 'full') && operations !== undefined && operations !== 0
}

async function assertServed(scene: LabScene): Promise<void> {
  for (const address of [web[4], web[6]]) {
    const answers = await scene.connect('outside', address, { count: 5 })
    assert.equal(answers.failures, {})
  }
}

/** The relays go with the daemon. Its rules stay, and new connections wait for the next daemon. */
async function assertWaits(scene: LabScene, signal: NodeJS.Signals): Promise<void> {
  assert.is(await scene.daemon.end(signal), 0)
  assert.match(ownRules(scene.lab), /no relay runs/)
  const opening = scene.connect('outside', web[4], { count: 1, timeoutMs: 15_000 })
  await scene.startDaemon()
  assert.equal((await opening).failures, {})
  await assertServed(scene)
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

test('the tools of the system list our rules, to their end', (scene) => {
  const text = ownRules(scene.lab)
  assert.match(text, /lab\/web/)
  if (text.startsWith('table')) assert.match(text, /^}$/m)
  return Promise.resolve()
})

test('what others take away is repaired', async (scene) => {
  const { damages, repairMs } = scene.mode
  for (const { title, command } of damages) {
    const tries: number[] = []
    // The bound is ours, the machine may be somebody else's: the best of several counts.
    while (tries.length < 10 && !tries.some((ms) => ms <= repairMs)) {
      const after = scene.daemon.records.length
      scene.lab.run('node', ...command)
      const started = performance.now()
      await scene.daemon.logged(isRepair, after)
      tries.push(Math.round(performance.now() - started))
      await assertServed(scene)
    }
    process.stdout.write(`# ${title}: repaired after ${tries.join(', ')} ms\n`)
    assert.ok(Math.min(...tries) <= repairMs, `${title}: repaired after ${tries.join(', ')} ms`)
  }
})

test('the rules of others are untouched, and cause no repair', async (scene) => {
  scene.mode.addForeignRules(scene.lab)
  const before = foreignRules(scene.lab)
  const after = scene.daemon.records.length
  nft(scene, 'add', 'rule', 'inet', 'foreign', 'marks', 'counter')
  await scene.serve([{ name: 'web', clusterIPs: [web[4], web[6]], pods: ['a', 'b'] }])
  const repair = scene.daemon.records.slice(after).find(isRepair)
  assert.is(repair, undefined)
  nft(scene, 'flush', 'chain', 'inet', 'foreign', 'marks')
  nft(scene, 'add', 'rule', 'inet', 'foreign', 'marks', 'meta mark set 0x12000001')
  assert.is(foreignRules(scene.lab), before)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the proxy well and leaves the rules`, async (scene) => {
    if (scene.mode.limits?.endsWithDaemon === true) return assertWaits(scene, signal)
    const before = ownRules(scene.lab)
    assert.is(await scene.daemon.end(signal), 0)
    assert.is(ownRules(scene.lab), before)
    await assertServed(scene)
    await scene.startDaemon()
  })
}

test('--cleanup leaves nothing of ours and everything of others', async (scene) => {
  assert.is(await scene.daemon.end('SIGTERM'), 0)
  const before = foreignRules(scene.lab)
  runPortolan(scene.lab, 'proxy', '--cleanup', ...scene.mode.options)
  assert.is(ownRules(scene.lab), '')
  assert.is(foreignRules(scene.lab), before)
  const again = runPortolan(scene.lab, 'proxy', '--cleanup', ...scene.mode.options)
  assert.match(again, /nothing of ours/)
})

run()
