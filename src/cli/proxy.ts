import { formatSourceEvent } from '../kube/source-event.ts'
import { loadPlan } from '../proxy/load-plan.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { openSource } from '../proxy/open-source.ts'
import { failure } from './cli-error.ts'
import {
  allProxyOptions,
  type ClusterInput,
  readClusterInput,
  sourceOptions,
} from './cluster-input.ts'
import { formatFrontends, frontendRows } from './frontend-rows.ts'
import { outputOption, printValue } from './output-option.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan proxy`: the daemon. */
export const proxy: Subcommand = {
  name: 'proxy',
  summary: 'Serve the Services of a cluster on this node (what kube-proxy does)',
  notes: `Examples:
  portolan proxy --kubeconfig /etc/kubernetes/proxy.conf
  portolan proxy --config kube-proxy.yaml
  portolan proxy --manifests ./manifests --dry-run     print the frontends, write nothing
  portolan proxy --cleanup                             remove what this program wrote

Needs CAP_NET_ADMIN, except with --dry-run. SIGTERM and SIGINT end it and leave the rules.`,
  options: [
    ...sourceOptions,
    { name: 'dry-run', summary: 'print what would be served, write nothing, and exit' },
    outputOption,
    ...allProxyOptions,
  ],
  run,
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  const cluster = readClusterInput(input, io)
  for (const warning of cluster.warnings) io.error(`warning: ${warning}\n`)
  if (input.texts['dry-run'] === 'true') return printPlan(cluster, input, io, signal)
  throw failure('the daemon is not built yet: use --dry-run')
}

async function printPlan(
  cluster: ClusterInput,
  input: CommandInput,
  io: CliIo,
  signal: AbortSignal,
): Promise<ExitCode> {
  const report = (event: Parameters<typeof formatSourceEvent>[0]) =>
    io.error(`warning: ${formatSourceEvent(event)}\n`)
  const closing = new AbortController()
  const living = AbortSignal.any([signal, closing.signal])
  const source = await openSource(cluster.location, report, living)
  const plan = await loadPlan(source, cluster.options, readLocalAddresses(), living)
  closing.abort()
  printValue(input, io, frontendRows(plan), formatFrontends)
  return 0
}
