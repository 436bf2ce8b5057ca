import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { status } from '../../src/cli/status.ts'
import type { PlacedPort } from '../../src/proxy/portable/place-table.ts'
import { writeTableFile } from '../../src/proxy/portable/table-file.ts'
import { capturedIo } from './captured-io.ts'

const test = suite('portolan status --portable-table')

const folder = mkdtempSync(join(tmpdir(), 'portolan-status-'))
const file = join(folder, 'table.json')
const manifests = join(folder, 'web.yaml')
test.after(() => rmSync(folder, { recursive: true }))

const web: PlacedPort = {
  service: 'default/web',
  portName: 'http',
  protocol: 'TCP',
  port: 80,
  frontend: '10.96.0.10:80',
  place: { address: '127.65.42.232', port: 8080 },
  failure: undefined,
  endpoints: 1,
}
const taken: PlacedPort = { ...web, portName: 'api', place: undefined, failure: 'no socket' }

async function run(texts: Readonly<Record<string, string>>): Promise<string> {
  const { io, printed } = capturedIo()
  await status.run({ texts, arguments: [] }, io, new AbortController().signal)
  return printed.join('')
}

test('alone it shows the table', async () => {
  writeTableFile(file, [web, taken])
  const text = await run({ 'portable-table': file })
  assert.match(text, /^portable mode, process \d+: 2 ports\n/)
  assert.match(text, /default\/web +http +10\.96\.0\.10:80\/TCP +127\.65\.42\.232:8080 +1\n/)
  assert.match(text, /default\/web +api +10\.96\.0\.10:80\/TCP +nowhere +no socket\n/)
})

test('with a cluster it adds places to the frontends', async () => {
  writeTableFile(file, [web])
  writeFileSync(
    manifests,
    `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.244.0.1]}]
`,
  )
  rmSync(file)
  const table = join(mkdtempSync(join(tmpdir(), 'portolan-places-')), 'table.json')
  writeTableFile(table, [web])
  const text = await run({ 'portable-table': table, manifests: folder })
  assert.match(text, /10\.244\.0\.1:8080 at 127\.65\.42\.232:8080 on this machine/)
  rmSync(join(table, '..'), { recursive: true })
})

test('--env prints lines for a shell, and needs the table', async () => {
  writeTableFile(file, [web])
  const lines = await run({ 'portable-table': file, env: 'default' })
  assert.match(lines, /^export WEB_SERVICE_HOST=127\.65\.42\.232\nexport WEB_SERVICE_PORT=8080\n/)
  const refused = await run({ env: 'default' }).catch((error: unknown) => String(error))
  assert.match(refused, /--env: give the table with --portable-table FILE/)
})

test('a table that is not there is named', async () => {
  const missing = join(folder, 'missing.json')
  const refused = await run({ 'portable-table': missing }).catch((error: unknown) => String(error))
  assert.match(refused, /missing\.json: there is no such file; a running portolan proxy/)
})

test.run()
