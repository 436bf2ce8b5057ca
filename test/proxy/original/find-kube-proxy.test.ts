import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { findKubeProxy } from '../../../src/proxy/original/find-kube-proxy.ts'

const test = suite('find kube-proxy')

test('finds processes by the program that they run', () => {
  const folder = mkdtempSync(`${tmpdir()}/portolan-proc-`)
  try {
    const lines = {
      12: '/usr/local/bin/kube-proxy\0--config=/var/lib/kube-proxy/config.conf\0',
      13: 'kubectl\0logs\0kube-proxy\0',
      14: '',
      15: 'kube-proxy\0',
      self: 'kube-proxy\0',
    }
    for (const [name, line] of Object.entries(lines)) {
      mkdirSync(`${folder}/${name}`)
      writeFileSync(`${folder}/${name}/cmdline`, line)
    }
    // It has ended while we looked.
    mkdirSync(`${folder}/16`)
    assert.equal([...findKubeProxy(folder)].sort(), [12, 15])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
