import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isPortFree } from '../../scripts/start/node-address.ts'
import { startWebBackends } from '../../scripts/start/web-backends.ts'
import { makeWorkingCopy } from '../../scripts/start/working-copy.ts'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { parseManifest } from '../../src/kube/manifests/parse-manifest.ts'

const examples = new URL('../../examples/', import.meta.url).pathname

const start = suite('what npm start is made of')

start('the working copy has the real address and ports, is valid, and is removed', () => {
  const copy = makeWorkingCopy(examples, '198.51.100.7', [40_001, 40_002, 40_003])
  const names = readdirSync(copy.folder).sort()
  assert.equal(names, ['web-endpoints.yaml', 'web.yaml'])
  const text = readFileSync(join(copy.folder, 'web-endpoints.yaml'), 'utf8')
  assert.not.match(text, /192\.0\.2\.1\b|\b808\d\b/)
  for (const port of [40_001, 40_002, 40_003]) assert.match(text, `port: ${port}`)
  for (const name of names) {
    const file = readFileSync(join(copy.folder, name), 'utf8')
    assert.equal(parseManifest(name, file, createDecodePool()).refused, [])
  }
  copy.remove()
  assert.not(existsSync(copy.folder))
})

start('the web servers tell their names and free their ports', async () => {
  const backends = await startWebBackends('127.0.0.1', ['first', 'second'])
  for (const { name, port } of backends) {
    const answer = await fetch(`http://127.0.0.1:${port}/`)
    assert.match(await answer.text(), new RegExp(`^${name}: hello 127\\.0\\.0\\.1\n$`))
    assert.not(await isPortFree(port))
  }
  for (const backend of backends) backend.close()
})

start.run()
