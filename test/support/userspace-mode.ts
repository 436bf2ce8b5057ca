import { openManifestSource } from '../../src/kube/manifest-source.ts'
import { NftablesConnection } from '../../src/netlink/nftables/connection.ts'
import { configureProxy } from '../../src/proxy/config/configure-proxy.ts'
import { resolveProxyOptions } from '../../src/proxy/config/proxy-options.ts'
import { loadPlan } from '../../src/proxy/load-plan.ts'
import type { Plan } from '../../src/proxy/port/mechanism.ts'
import { tableName } from '../../src/proxy/userspace/table-rules.ts'
import { tracedState, traceFlow } from '../../src/proxy/userspace/trace-flow.ts'
import { readWholeTable } from '../../src/ruleset/whole-table.ts'
import { inNamespace } from './in-namespace.ts'
import type { LabMode } from './lab-mode.ts'
import { labNodes } from './lab-objects.ts'
import { labAddresses } from './lab-topology.ts'
import type { NetworkLab } from './network-lab.ts'
import { rulesGeneration } from './nftables-mode.ts'
import { podDetection } from './proxy-daemon.ts'
import { toolHindrance } from './required-tools.ts'

/** userspace mode: two tables of our own that lead flows to relays in the daemon. */
export const userspaceMode: LabMode = {
  title: 'userspace',
  options: ['--proxy-mode', 'userspace'],
  iptables: 'nft',
  expected: { mode: 'userspace' },
  hindrance: () => toolHindrance(['ip', 'nft']),
  prepare() {},
  damages: [
    {
      title: 'rules are flushed',
      command: ['nft', 'flush', 'table', 'ip', tableName],
    },
    {
      title: 'a table is deleted',
      command: ['nft', 'delete', 'table', 'ip6', tableName],
    },
    {
      title: 'a map is flushed',
      command: ['nft', 'flush', 'map', 'ip', tableName, 'frontends-outside'],
    },
  ],
  repairMs: 100,
  addForeignRules(lab) {
    const table = 'add table ip other; add chain ip other kept; add rule ip other kept counter'
    lab.run('node', 'nft', table)
  },
  stamp: rulesGeneration,
  async simulate(lab, folder) {
    const { services } = await readPlan(folder)
    const state = tracedState(readTables(lab), services.values())
    return (flow, localAddresses) => traceFlow(state, flow, localAddresses)
  },
  limits: { hidesClients: true, refusesSctp: true, endsWithDaemon: true },
}

function readTables(lab: NetworkLab): Parameters<typeof tracedState>[0] {
  const connection = inNamespace(lab.path('node'), () => NftablesConnection.open())
  try {
    return (['ip', 'ip6'] as const).flatMap(
      (family) => readWholeTable(connection, family, tableName) ?? [],
    )
  } finally {
    connection.close()
  }
}

/** Endpoints are not in the kernel: the plan of the manifests has them. */
async function readPlan(folder: string): Promise<Plan> {
  const ending = new AbortController()
  const source = await openManifestSource(folder, { report: () => {} }, ending.signal)
  const [, , , prefixes = ''] = podDetection
  const flags = { 'detect-local-mode': 'ClusterCIDR', 'cluster-cidr': prefixes }
  const { configuration } = configureProxy(flags, undefined)
  const options = resolveProxyOptions(configuration, labNodes.here)
  const addresses = [labAddresses[4].node, labAddresses[6].node]
  try {
    return await loadPlan(source, options, addresses, ending.signal)
  } finally {
    ending.abort()
  }
}
