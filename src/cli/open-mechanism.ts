import { openIpvsMechanism } from '../ipvs/ipvs-mechanism.ts'
import { systemClock } from '../kube/clock.ts'
import { parsePrefix } from '../net/prefix.ts'
import {
  defaultProxyConfiguration,
  type ProxyConfiguration,
} from '../proxy/config/proxy-configuration.ts'
import type { ProxyMode } from '../proxy/config/proxy-options.ts'
import { openIptablesMechanism } from '../proxy/iptables/iptables-mechanism.ts'
import { openNftablesMechanism } from '../proxy/nftables/nftables-mechanism.ts'
import type { Mechanism } from '../proxy/port/mechanism.ts'
import { failure } from './cli-error.ts'

/** Opens the mechanism of a mode. Rejects with one line when the kernel or a program that it needs is
 *  missing. */
export async function openMechanism(
  mode: ProxyMode,
  configuration = defaultProxyConfiguration,
): Promise<Mechanism> {
  if (mode === 'nftables') return openNftablesMechanism()
  try {
    if (mode === 'ipvs') return openIpvs(configuration)
    return await openIptablesMechanism()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure(`--proxy-mode ${mode}: ${reason}`, error)
  }
}

function openIpvs({ ipvs }: ProxyConfiguration): Mechanism {
  const seconds = (durationMs: number): number => Math.floor(durationMs / 1_000)
  return openIpvsMechanism({
    scheduler: ipvs.scheduler,
    excludeCidrs: ipvs.excludeCIDRs.flatMap((text) => parsePrefix(text) ?? []),
    isArpStrict: ipvs.strictARP,
    timeouts: {
      tcp: seconds(ipvs.tcpTimeout),
      tcpFin: seconds(ipvs.tcpFinTimeout),
      udp: seconds(ipvs.udpTimeout),
    },
    clock: systemClock,
  })
}
