import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runProgram } from '../../../src/proxy/iptables/run-program.ts'

const test = suite('proxy/iptables/run-program')

test('a program that does not exist, and one that fails, name themselves', async () => {
  const missing = await runProgram('portolan-no-such-program', []).catch(String)
  assert.match(missing, 'portolan-no-such-program: no such program')
  const script = 'echo "line 2 failed" >&2; exit 3'
  const failing = await runProgram('sh', ['-c', script], () => ['*nat\n', '-A X\n']).catch(String)
  assert.match(failing, 'sh ended with 3: line 2 failed (-A X)')
})

test('input is made while the program reads it', async () => {
  let made = 0
  function* lines(): Generator<string> {
    for (; made < 20_000; made++) yield `line ${made} of an input that is larger than any pipe\n`
  }
  assert.is((await runProgram('wc', ['-l'], lines)).trim(), '20000')
})

test('no more input is made for a program that has ended', async () => {
  let made = 0
  function* endless(): Generator<string> {
    for (;;) {
      made++
      yield 'x'.repeat(10_000)
    }
  }
  assert.match(await runProgram('sh', ['-c', 'exit 4'], endless).catch(String), 'sh ended with 4')
  assert.ok(made < 10_000, `${made} pieces`)
})

test('a failure while input is made is told, and leaves no program behind', async () => {
  function* broken(): Generator<string> {
    yield 'first'
    throw new Error('cannot be compiled')
  }
  assert.match(await runProgram('cat', [], broken).catch(String), 'cannot be compiled')
})

test.run()
