import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createLogger, type LogOptions, levelOfVerbosity } from '../../src/observe/logger.ts'

const test = suite('observe/logger')

function lines(options: LogOptions): {
  logger: ReturnType<typeof createLogger>
  written: string[]
} {
  const written: string[] = []
  return { logger: createLogger(options, (line) => written.push(line)), written }
}

test('text lines have time, level, message and values', () => {
  const { logger, written } = lines({ format: 'text', level: 'info' })
  logger.warn({ node: 'n1', what: 'two words', count: 3 }, 'hello')
  assert.match(written[0] ?? '', /^\d{4}-\S+Z warn {2}hello node=n1 what="two words" count=3\n$/)
})

test('JSON lines are objects', () => {
  const { logger, written } = lines({ format: 'json', level: 'info' })
  logger.error({ node: 'n1' }, 'hello')
  const { level, node, msg } = JSON.parse(written[0] ?? '')
  assert.equal({ level, node, msg }, { level: 'error', node: 'n1', msg: 'hello' })
})

test('lines below the level are not written', () => {
  const { logger, written } = lines({ format: 'json', level: 'warn' })
  logger.debug({}, 'a')
  logger.info({}, 'b')
  assert.equal(written, [])
  logger.warn({}, 'c')
  assert.is(written.length, 1)
})

test('fields with the names of secrets are hidden, also one level below', () => {
  const { logger, written } = lines({ format: 'json', level: 'info' })
  logger.info({ token: 'abc', user: { password: 'def' } }, 'x')
  assert.not.match(written.join(), /abc|def/)
})

test('verbosity as in klog', () => {
  assert.equal([0, 3, 4, 10].map(levelOfVerbosity), ['info', 'info', 'debug', 'debug'])
})

test.run()
