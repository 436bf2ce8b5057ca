import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyKernelSettings } from '../../src/ipvs/kernel-settings.ts'

const test = suite('ipvs/kernel-settings')

test('values of the kernel are set once, and a refusal names value and purpose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-settings-'))
  try {
    const put = (path: string, value: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), `${value}\n`)
    }
    put('net/ipv4/vs/conntrack', '0')
    put('net/ipv4/vs/expire_nodest_conn', '1')
    put('net/ipv4/vs/expire_quiescent_template', '0')
    put('net/ipv4/ip_forward', '1')
    assert.is(applyKernelSettings(false, folder), 2)
    assert.is(readFileSync(join(folder, 'net/ipv4/vs/conntrack'), 'utf8'), '1')
    assert.is(applyKernelSettings(false, folder), 0)
    assert.throws(
      () => applyKernelSettings(true, folder),
      /arp_ignore to 1 \(strictARP\): ENOENT; set it by other means/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
