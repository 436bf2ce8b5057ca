import { openMechanism } from './open-mechanism.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo, ExitCode } from './subcommand.ts'

/** `portolan proxy --cleanup`: removes what this program wrote in a mode, unset for nftables.
 *  Rules of iptables mode have kube-proxy's names: they are removed only when that mode is named;
 *  and so are virtual servers. */
export async function cleanUp(mode: string | undefined, io: CliIo): Promise<ExitCode> {
  requireNetAdmin()
  const ours = mode === 'iptables' || mode === 'ipvs' ? mode : 'nftables'
  const mechanism = await openMechanism(ours)
  try {
    const { operations } = await mechanism.cleanup()
    io.out(
      operations === 0
        ? 'nothing of ours was there\n'
        : `removed ${operations} ${cleanedObjects[ours]}\n`,
    )
    return 0
  } finally {
    mechanism.close()
  }
}

/** What a clean-up counts. */
const cleanedObjects = {
  nftables: 'tables',
  iptables: 'chains and rules',
  ipvs: 'virtual servers, tables and interfaces',
} as const
