import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import type { Plan } from '../proxy/port/mechanism.ts'
import { environmentLines } from '../proxy/portable/environment-lines.ts'
import { whyNotRelayed } from '../proxy/relay/why-not-relayed.ts'
import { usageError } from './cli-error.ts'
import { planOptions, sourceOptions } from './cluster-input.ts'
import { type FrontendRow, formatFrontends, frontendRows } from './frontend-rows.ts'
import { readTraffic, trafficOptions } from './frontend-traffic.ts'
import { loadCluster } from './load-cluster.ts'
import { outputFormat, outputOption, printValue } from './output-option.ts'
import {
  formatPlaceTable,
  placesOf,
  portableTableOptions,
  readPortableTable,
  showsTableOnly,
} from './portable-table.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan status`: what this node serves. */
export const status: Subcommand = {
  name: 'status',
  summary: 'Frontends of this node, their endpoints, and what is dropped or rejected',
  notes: `Examples:
  portolan status --manifests ./manifests --output json
  portolan status --traffic 5                 who talks to what, counted for five seconds

  portolan status --portable-table FILE       where portable mode serves them on this machine
  eval "$(portolan status --portable-table FILE --env default)"

--counters and --traffic look at the kernel and need CAP_NET_ADMIN.`,
  options: [
    ...sourceOptions,
    outputOption,
    ...trafficOptions,
    ...portableTableOptions,
    ...planOptions,
  ],
  run,
}

/** What the command prints. */
interface Status {
  readonly node: {
    readonly name: string
    readonly nodePortAddresses: 'any-local' | readonly string[]
    readonly podDetector: Plan['node']['podDetector']
  }
  readonly counts: {
    readonly services: number
    readonly frontends: number
    readonly endpoints: number
    /** Frontends that drop or reject flows of at least one kind of source. */
    readonly refusing: number
  }
  readonly frontends: readonly FrontendRow[]
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  outputFormat(input)
  const table = readPortableTable(input)
  if (input.texts.env !== undefined) {
    if (table === undefined) throw usageError('--env: give the table with --portable-table FILE')
    io.out(environmentLines(table.ports, input.texts.env))
    return 0
  }
  if (table !== undefined && showsTableOnly(input)) {
    printValue(input, io, table, formatPlaceTable)
    return 0
  }
  const loaded = await loadCluster(input, io, signal)
  const { plan, cluster } = loaded
  const frontends = frontendRows(plan, {
    trafficOf: await readTraffic(input, loaded, signal),
    ...(table === undefined ? {} : { placeOf: placesOf(table) }),
    ...(table !== undefined || isRelaying(cluster.options) ? { limitOf: whyNotRelayed } : {}),
  })
  const { nodePortAddresses, podDetector } = plan.node
  const value: Status = {
    node: { name: cluster.options.nodeName, nodePortAddresses, podDetector },
    counts: {
      services: plan.services.size,
      frontends: frontends.length,
      endpoints: countEndpoints(frontends),
      refusing: frontends.filter(isRefusing).length,
    },
    frontends,
  }
  printValue(input, io, value, formatStatus)
  return 0
}

/** Only a mode that was asked for is known here. */
function isRelaying({ configuration: { mode } }: ProxyOptions): boolean {
  return mode === 'userspace' || mode === 'portable'
}

function countEndpoints(frontends: readonly FrontendRow[]): number {
  const endpoints = new Set<string>()
  for (const { protocol, actions } of frontends) {
    for (const { backends } of Object.values(actions)) {
      for (const backend of backends) endpoints.add(`${protocol} ${backend}`)
    }
  }
  return endpoints.size
}

function isRefusing({ actions, limit }: FrontendRow): boolean {
  if (limit !== undefined) return true
  return Object.values(actions).some(({ kind }) => kind !== 'balance')
}

function formatStatus({ node, counts, frontends }: Status): string {
  const ports =
    node.nodePortAddresses === 'any-local'
      ? 'all addresses of the node'
      : node.nodePortAddresses.join(' ')
  return [
    `node ${node.name}, node ports on ${ports}\n`,
    `${counts.services} services, ${counts.frontends} frontends, ${counts.endpoints} endpoints, `,
    `${counts.refusing} frontends that drop or reject\n\n`,
    formatFrontends(frontends),
  ].join('')
}
