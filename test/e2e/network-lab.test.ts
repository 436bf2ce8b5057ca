import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needsRoot } from '../support/needs-root.ts'
import { NetworkLab } from '../support/network-lab.ts'

const labs = suite('network lab')
const test = needsRoot(labs)

const labFile = new URL('../support/network-lab.ts', import.meta.url).href

/** A process that opens a lab with a sleeper in it, says its id, and waits. */
const holder = `
  import { NetworkLab } from '${labFile}'
  const lab = NetworkLab.open()
  const child = lab.spawn('pod-a', 'sleep', ['600'])
  process.stdout.write(child.pid + '\\n')
  setTimeout(() => {}, 600_000)
`

async function openElsewhere() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, prefix: `portolan-${child.pid}-`, sleeper: Number(line.toString()) }
}

function namespaces(): string {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
}

/** Whether the process runs; one that ended and that nobody has waited for does not. */
function isAlive(id: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('an interrupted process takes its lab along', async () => {
  const { child, prefix, sleeper } = await openElsewhere()
  assert.ok(namespaces().includes(prefix))
  child.kill('SIGINT')
  await once(child, 'exit')
  assert.not(namespaces().includes(prefix))
  assert.not(isAlive(sleeper))
})

test('the next lab removes the one of a killed process, and no other', async () => {
  const killed = await openElsewhere()
  const living = await openElsewhere()
  killed.child.kill('SIGKILL')
  await once(killed.child, 'exit')
  assert.ok(namespaces().includes(killed.prefix))
  const lab = NetworkLab.open()
  try {
    assert.not(namespaces().includes(killed.prefix))
    assert.ok(namespaces().includes(living.prefix))
    assert.ok(isAlive(living.sleeper))
  } finally {
    lab.close()
    living.child.kill('SIGTERM')
    await once(living.child, 'exit')
  }
  assert.not(namespaces().includes(living.prefix))
})

labs.run()
