import { execFileSync } from 'node:child_process'
import { openIpvsMechanism } from '../../src/ipvs/ipvs-mechanism.ts'
import { systemClock } from '../../src/kube/clock.ts'
import { openIptablesMechanism } from '../../src/proxy/iptables/iptables-mechanism.ts'
import { openNftablesMechanism } from '../../src/proxy/nftables/nftables-mechanism.ts'
import type { Mechanism } from '../../src/proxy/port/mechanism.ts'
import type { BenchmarkMode } from './benchmark.ts'

/** Opens the mechanism of a mode in the network namespace of this thread. */
export async function openMeasured(mode: BenchmarkMode): Promise<Mechanism> {
  switch (mode) {
    case 'nftables':
      return openNftablesMechanism()
    case 'ipvs':
      return openIpvs()
    case 'iptables':
      return openIptablesMechanism()
    case 'iptables-restore':
      return openIptablesMechanism('restore')
    case 'iptables-legacy':
      // The kubelet's mark: this node uses the legacy variant. A restart finds it there.
      for (const program of ['iptables-legacy', 'ip6tables-legacy']) mark(program)
      return openIptablesMechanism()
  }
}

/** The program that writes a mode's rules; undefined: none is started. */
export function restoreProgramOf(mode: BenchmarkMode): string | undefined {
  if (mode === 'iptables-restore') return 'iptables-nft-restore'
  return mode === 'iptables-legacy' ? 'iptables-legacy-restore' : undefined
}

/** Says where it can be measured when this kernel has no IPVS. */
function openIpvs(): Mechanism {
  try {
    const timeouts = { tcp: 0, tcpFin: 0, udp: 0 }
    const common = { scheduler: '', excludeCidrs: [], isArpStrict: false }
    return openIpvsMechanism({ ...common, timeouts, clock: systemClock })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const command = 'npm run vm -- bench/main.ts sync --mode ipvs --services 1000 --changes 200'
    throw new Error(`${reason}; a virtual machine has one: ${command}`, { cause: error })
  }
}

function mark(program: string): void {
  const [table, chain] = ['mangle', 'KUBE-IPTABLES-HINT']
  const list = execFileSync(program, ['-t', table, '-S'], { encoding: 'utf8' })
  if (!list.includes(chain)) execFileSync(program, ['-t', table, '-N', chain])
}
