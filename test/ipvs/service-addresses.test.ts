import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { applyKernelSettings } from '../../src/ipvs/kernel-settings.ts'
import { interfaceName, ServiceAddresses } from '../../src/ipvs/service-addresses.ts'
import { RouteConnection } from '../../src/netlink/route.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('ipvs/service-addresses')
const root = needsRoot(test, ['ip'])

/** By interface or by routes, as this machine's kernel can. */
root('addresses become local and are taken back, by whichever way there is', () =>
  inFreshNamespace(() => {
    const route = RouteConnection.open()
    const ip = (...args: readonly string[]): string =>
      execFileSync('ip', args, { encoding: 'utf8' })
    try {
      const addresses = new ServiceAddresses(route)
      const services = ['10.96.0.1', 'fd00:10:96::1']
      for (const address of services) addresses.add(address)
      for (const address of services) addresses.add(address)
      assert.match(ip('route', 'get', '10.96.0.1'), /^local 10\.96\.0\.1/)
      assert.match(ip('-6', 'route', 'get', 'fd00:10:96::1'), /^local fd00:10:96::1/)
      const isByInterface = ip('link').includes(interfaceName)
      assert.is(addresses.way, isByInterface ? 'dummy interface' : 'local routes')
      assert.equal(addresses.ownAddresses(new Set(services)), [])
      assert.equal([...new ServiceAddresses(route).present(services)].sort(), services)
      addresses.remove('10.96.0.1')
      addresses.remove('10.96.0.1')
      assert.not.match(ip('route', 'show', 'table', 'local'), '10.96.0.1')
      assert.is(addresses.removeAll(['fd00:10:96::1']), 1)
      assert.not.match(ip('-6', 'route', 'show', 'table', 'local'), 'fd00:10:96::1')
      assert.not.match(ip('link'), interfaceName)
    } finally {
      route.close()
    }
  }),
)

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
