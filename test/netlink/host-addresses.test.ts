import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HostAddresses } from '../../src/netlink/host-addresses.ts'
import { RouteConnection } from '../../src/netlink/route.ts'
import { inFreshNamespace } from '../support/fresh-namespace.ts'
import { needsRoot } from '../support/needs-root.ts'

const test = suite('netlink/host-addresses')

const interfaceName = 'test-dummy0'
const root = needsRoot(test, ['ip'])

/** By interface or by routes, as this machine's kernel can. */
root('addresses become local and are taken back, by whichever way there is', () =>
  inFreshNamespace(() => {
    const route = RouteConnection.open()
    const ip = (...args: readonly string[]): string =>
      execFileSync('ip', args, { encoding: 'utf8' })
    try {
      const addresses = new HostAddresses(route, interfaceName)
      const services = ['10.96.0.1', 'fd00:10:96::1']
      for (const address of services) addresses.add(address)
      for (const address of services) addresses.add(address)
      assert.match(ip('route', 'get', '10.96.0.1'), /^local 10\.96\.0\.1/)
      assert.match(ip('-6', 'route', 'get', 'fd00:10:96::1'), /^local fd00:10:96::1/)
      const isByInterface = ip('link').includes(interfaceName)
      assert.is(addresses.way, isByInterface ? 'dummy interface' : 'local routes')
      assert.equal(addresses.ownAddresses(new Set(services)), [])
      assert.equal([...new HostAddresses(route, interfaceName).present(services)].sort(), services)
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

test.run()
