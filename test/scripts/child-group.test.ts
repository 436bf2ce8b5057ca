import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChildGroup } from '../../scripts/support/child-group.ts'

const group = suite('ChildGroup')

/** A shell that starts a child of its own, writes that child's id down and waits for ever. */
function parent(file: string): readonly string[] {
  return ['-c', `sleep 1000 & echo $! > ${file}; echo ready; wait`]
}

/** Waits until the process has died; a test that waits for ever is ended by the runner. */
async function dies(file: string): Promise<void> {
  while (isAlive(file)) await setImmediate()
}

function isAlive(file: string): boolean {
  const pid = Number(readFileSync(file, 'utf8'))
  try {
    // A killed process stays a zombie until it is reaped; its state tells.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-child-group-'))
  await body(folder).finally(() => rm(folder, { recursive: true }))
}

group('gives output and exit code', async () => {
  const result = await new ChildGroup().run('sh', ['-c', 'echo out; exit 3'], { timeoutMs: 10_000 })
  assert.equal(result, { code: 3, output: 'out\n' })
})

group('gives code 1 for a command that does not exist', async () => {
  const result = await new ChildGroup().run('/nowhere/command', [], { timeoutMs: 10_000 })
  assert.is(result.code, 1)
  assert.match(result.output, 'ENOENT')
})

group('kills descendants when the time is over', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'pid')
    const result = await new ChildGroup().run('sh', parent(file), { timeoutMs: 300 })
    assert.is(result.code, 1)
    assert.match(result.output, 'no end after 300 ms')
    await dies(file)
  }),
)

group('kills descendants that outlive the command', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'pid')
    const script = `sleep 1000 & echo $! > ${file}`
    const result = await new ChildGroup().run('sh', ['-c', script], { timeoutMs: 60_000 })
    assert.is(result.code, 0)
    await dies(file)
  }),
)

group('kill ends what still runs', async () => {
  const children = new ChildGroup()
  const running = children.run('sleep', ['1000'], { timeoutMs: 60_000 })
  children.kill()
  assert.is((await running).code, 1)
})

group.run()
