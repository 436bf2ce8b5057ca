import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { IpvsConnection } from '../../src/ipvs/ipvs-connection.ts'
import { openIpvsMechanism } from '../../src/ipvs/ipvs-mechanism.ts'
import { FakeClock } from '../kube/fake-clock.ts'

const test = suite('ipvs/ipvs-mechanism')

/** What it does is tested where there is IPVS: test/vm. */
test('a kernel without IPVS is an error that names the module and what works without it', () => {
  const open = () =>
    openIpvsMechanism({
      scheduler: '',
      excludeCidrs: [],
      isArpStrict: false,
      timeouts: { tcp: 0, tcpFin: 0, udp: 0 },
      clock: new FakeClock(),
    }).close()
  if (hasIpvs()) open()
  else assert.throws(open, /no IPVS: its module ip_vs is missing.*nftables and iptables/)
})

function hasIpvs(): boolean {
  try {
    IpvsConnection.open().close()
    return true
  } catch {
    return false
  }
}

test.run()
