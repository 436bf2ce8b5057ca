import type { ProxyMode } from '../proxy/config/proxy-options.ts'
import { openIptablesMechanism } from '../proxy/iptables/iptables-mechanism.ts'
import { openNftablesMechanism } from '../proxy/nftables/nftables-mechanism.ts'
import type { Mechanism } from '../proxy/port/mechanism.ts'
import { failure } from './cli-error.ts'

/** Opens the mechanism of a mode. Rejects with one line when the kernel or a program that it needs is
 *  missing. */
export async function openMechanism(mode: ProxyMode): Promise<Mechanism> {
  if (mode === 'nftables') return openNftablesMechanism()
  try {
    return await openIptablesMechanism()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure(`--proxy-mode ${mode}: ${reason}`, error)
  }
}
