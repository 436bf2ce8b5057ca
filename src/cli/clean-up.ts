import { defaultProxyConfiguration } from '../proxy/config/proxy-configuration.ts'
import type { ProxyMode } from '../proxy/config/proxy-options.ts'
import type { Mechanism } from '../proxy/port/mechanism.ts'
import { openLeftovers } from './open-leftovers.ts'
import { openMechanism, proxyModes } from './open-mechanism.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo } from './subcommand.ts'

/** `portolan proxy --cleanup`: removes what this program wrote in a mode; without one, in every mode that
 *  has left something. Where kube-proxy has taken the chains of iptables mode over since, only those that it
 *  does not know go. */
export async function cleanUp(mode: string | undefined, io: CliIo): Promise<void> {
  requireNetAdmin()
  const asked = proxyModes.find((name) => name === mode)
  const mechanisms =
    asked === undefined
      ? await openLeftovers('', defaultProxyConfiguration)
      : [await openMechanism(asked, defaultProxyConfiguration)]
  let total = 0
  for (const mechanism of mechanisms) {
    const operations = await cleanOne(mechanism)
    total += operations
    if (operations > 0) io.out(`removed ${operations} ${cleanedObjects[mechanism.name] ?? ''}\n`)
  }
  if (total === 0) io.out('nothing of ours was there\n')
}

async function cleanOne(mechanism: Mechanism): Promise<number> {
  try {
    return (await mechanism.cleanup()).operations
  } finally {
    mechanism.close()
  }
}

/** What a clean-up counts, by mode. */
const cleanedObjects: Readonly<Record<string, string>> = {
  nftables: 'tables',
  iptables: 'chains and rules',
  ipvs: 'virtual servers, tables and interfaces',
  userspace: 'tables',
  portable: 'listeners',
} satisfies Record<ProxyMode, string>
