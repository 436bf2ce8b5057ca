import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../src/dns/wire/decode-message.ts'
import { queryPacket } from '../dns/answer/responder-fixture.ts'
import { freePort } from '../dns/server/running-server.ts'
import { LabProgram } from '../support/dns-lab.ts'

const reload = suite('dns: reload under load')
const mainFile = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Clients that ask again as soon as they have an answer. */
const clientCount = 8
const reloadCount = 6
/** A query without an answer after so long is lost. */
const patienceMs = 3_000

for (const workers of ['1', '2']) {
  reload(`no query is lost by SIGHUP, with ${workers} threads`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portolan-dns-reload-'))
    const conf = join(folder, 'Corefile')
    const port = await freePort()
    const write = (last: number): void => writeFileSync(conf, corefile(port, last))
    write(0)
    const words = [mainFile, 'dns', '--conf', conf, '--workers', workers]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const daemon = new LabProgram(child)
    await daemon.printed(/"msg":"answering"/, 1)

    const ending = new AbortController()
    const clients = Array.from({ length: clientCount }, () => askUntil(port, ending.signal))
    for (let index = 1; index <= reloadCount; index++) {
      write(index)
      daemon.signal('SIGHUP')
      await daemon.printed(/"msg":"answering"/, index + 1)
    }
    ending.abort()
    const outcomes = await Promise.all(clients)
    assert.equal(
      outcomes.map(({ lostCount }) => lostCount),
      Array.from({ length: clientCount }, () => 0),
    )
    for (const { answers } of outcomes) assert.ok(answers.size > 1, `${[...answers]}`)
    assert.is(await daemon.end(), 0)
    rmSync(folder, { recursive: true })
  })
}

function corefile(port: number, last: number): string {
  return `.:${port} {\n  bind 127.0.0.1\n  hosts {\n    192.0.2.${last} web.test\n  }\n}\n`
}

/** Asks one query after the other from a socket of its own. */
async function askUntil(
  port: number,
  signal: AbortSignal,
): Promise<{ readonly lostCount: number; readonly answers: ReadonlySet<string> }> {
  const answers = new Set<string>()
  const socket = createSocket('udp4')
  const packet = queryPacket('web.test. A')
  let lostCount = 0
  while (!signal.aborted) {
    socket.send(packet, port, '127.0.0.1')
    const patience = AbortSignal.timeout(patienceMs)
    const [answer] = await once(socket, 'message', { signal: patience }).catch(() => [undefined])
    const data = Buffer.isBuffer(answer) ? decodeMessage(answer).answers[0]?.data : undefined
    if (data?.kind === 'A') answers.add(data.address)
    else lostCount++
  }
  socket.close()
  return { lostCount, answers }
}

reload.run()
