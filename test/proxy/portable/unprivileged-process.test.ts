import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTableFile } from '../../../src/proxy/portable/table-file.ts'
import { mainFile } from '../../support/proxy-daemon.ts'

const test = suite('proxy/portable, as a process without rights and without FFI')

/** Makes the FFI package look as on a system for which it is not built. */
const withoutFfi = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(name, context, next) {
      if (name === 'koffi') throw new Error('not built for this system')
      return next(name, context)
    },
  })
`)}`

/** The user that owns nothing; everybody is it already where the tests do not run as root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined

function manifests(port: number): string {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP: '10.96.0.10', ports: [{ name: 'http', port: 80, targetPort: port }] },
  }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-1',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'web' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'] }],
    ports: [{ name: 'http', port }],
  }
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service, slice] })
}

test('it serves, tells where, and leaves nothing behind', async () => {
  const server = createServer((_, response) => response.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const folder = mkdtempSync(join(tmpdir(), 'portolan-unprivileged-'))
  // The table is written beside itself first: not in a folder that is watched for manifests.
  const run = mkdtempSync(join(tmpdir(), 'portolan-places-'))
  const file = join(run, 'table.json')
  if (nobody !== undefined) chownSync(run, nobody.uid, nobody.gid)
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'cluster.json'), manifests((server.address() as AddressInfo).port))
  const args = [
    ...['--import', withoutFfi, mainFile, 'proxy', '--proxy-mode', 'portable'],
    ...['--manifests', folder, '--portable-table', file],
    ...['--healthz-bind-address', '', '--metrics-bind-address', '', '--v', '0'],
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'], ...nobody })
  const exit = once(child, 'exit')
  const lines: string[] = []
  try {
    const isServing = Promise.withResolvers<void>()
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('synchronised')) isServing.resolve()
    })
    await Promise.race([isServing.promise, exit])
    const text = lines.join('\n')
    assert.match(text, /bytes are moved by .*not built for this system.*; portable/)
    assert.not.match(text, / (?:warn|error) /)
    const [row] = readTableFile(file).ports
    const place = row?.place
    const answer = await fetch(`http://${place?.address}:${place?.port}/`)
    assert.is(await answer.text(), 'hello')
    child.kill('SIGTERM')
    assert.equal(await exit, [0, null])
    assert.not(existsSync(file))
  } finally {
    child.kill('SIGKILL')
    server.close()
    server.closeAllConnections()
    for (const path of [folder, run]) rmSync(path, { recursive: true })
  }
})

test.run()
