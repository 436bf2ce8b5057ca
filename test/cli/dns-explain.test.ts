import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dns } from '../../src/cli/dns.ts'
import { freePort, startServer } from '../dns/server/running-server.ts'
import { addressReply, startFaultyServer } from '../dns/upstream/faulty-server.ts'
import { capturedIo } from './captured-io.ts'

const test = suite('cli/dns-explain')

/** Runs `portolan dns explain NAME --server PAGE` and gives what it prints, or why it fails. */
async function explain(name: string, page: string, more: object = {}): Promise<string> {
  const { io, printed } = capturedIo()
  const input = { texts: { server: page, ...more }, arguments: ['explain', name] }
  await dns
    .run(input, io, new AbortController().signal)
    .catch((error: Error) => printed.push(error.message))
  return printed.join('')
}

test('a running server tells of its upstream, its cache and its plugins', async () => {
  await using upstream = await startFaultyServer((query) => [addressReply(query)])
  const port = await freePort()
  const pagePort = await freePort()
  const page = `127.0.0.1:${pagePort}`
  const body = `bind 127.0.0.1\n health ${page}\n forward . 127.0.0.1:${upstream.port}\n cache 60`
  const hosts = 'hosts {\n  192.0.2.7 known.test\n  fallthrough\n }'
  const server = await startServer(`.:${port} {\n ${body}\n ${hosts}\n}\n`)

  const first = await explain('a.test', page)
  assert.match(first, `# dns://127.0.0.1:${port}\ncache    no entry\n`)
  assert.match(first, `forward  127.0.0.1:${upstream.port} answered\n`)
  assert.match(first, 'a.test.\t60\tIN\tA\t192.0.2.1')

  const second = await explain('a.test', page)
  assert.match(second, /cache {2}an entry of success, (?:60|59) of 60 s left\n/)
  assert.match(second, 'cache  gives the answer\n')
  assert.is(upstream.queries.length, 1)

  assert.match(await explain('known.test', page), 'hosts  gives the answer\n')
  const elsewhere = await explain('a.test', page, { 'dns.port': '1' })
  assert.match(elsewhere, `the server at ${page} does not listen at port 1`)
  await server.end()
})

test('where no server is, it says what to do', async () => {
  const page = `127.0.0.1:${await freePort()}`
  assert.match(await explain('a.test', page), `health page ${page}: ECONNREFUSED; give the address`)
})

test.run()
