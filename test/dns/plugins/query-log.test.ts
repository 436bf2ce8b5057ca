import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AskOptions, testServer } from './ask-server.ts'

/** The text of log lines that a question writes. */
async function logged(
  directive: string,
  question: string,
  options: Partial<AskOptions> = {},
): Promise<string[]> {
  const server = testServer(`. {\n${directive}\nforward . 192.0.2.1\n}`, {
    upstream: { 'www.test. A': ['www.test. 60 A 192.0.2.80'], 'bad.test. A': '2' },
  })
  const response = await server.respond(question, options)
  response?.onEncoded?.({ query: 26, answer: 42 })
  if (response !== undefined && server.log.length > 0) assert.is(response.memo, 'never')
  return server.log.map((line) => (JSON.parse(line) as { msg: string }).msg)
}

const log = suite('log')

log('the common format', async () => {
  assert.equal(await logged('log', 'WWW.test. A'), [
    '198.51.100.1:4242 - 77 "A IN www.test. udp 26 false 512" NOERROR qr,rd,ra 42 0s',
  ])
})

log('a format of the operator', async () => {
  const format = '"{remote} {local} {>opcode} {/meta} {nothing} { {type} }"'
  assert.equal(await logged(`log . ${format}`, 'www.test. A', { client: '2001:db8::1' }), [
    '[2001:db8::1] 192.0.2.53 0 - {nothing} { A }',
  ])
})

log('combined adds the operation', async () => {
  assert.match((await logged('log . {combined}', 'www.test. A'))[0] ?? '', / 0s "0"$/)
})

for (const [question, kind] of [
  ['www.test. A', 'success'],
  ['no.test. A', 'denial'],
  ['bad.test. A', 'error'],
] as const) {
  log(`class ${kind} takes ${question}`, async () => {
    for (const name of ['success', 'denial', 'error']) {
      const lines = await logged(`log {\n class ${name}\n}`, question)
      assert.is(lines.length, name === kind ? 1 : 0, name)
    }
  })
}

log('only names in the zones that are given, the first rule decides', async () => {
  assert.equal(await logged('log other.test', 'www.test. A'), [])
  const rules = 'log www.test {\n class error\n}\nlog . "{name}"'
  assert.equal(await logged(rules, 'www.test. A'), [])
  assert.equal(await logged(rules, 'no.test. A'), ['no.test.'])
})

log('a dropped query has no answer', async () => {
  const lines = await logged('log . "{name} {rcode} {>rflags}"\nacl {\n drop\n}', 'www.test. A')
  assert.equal(lines, ['www.test. - -'])
})

log.run()
