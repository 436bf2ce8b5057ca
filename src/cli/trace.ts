import type { Flow } from '../net/flow.ts'
import { never } from '../net/never.ts'
import type { ProxyOptions } from '../proxy/config/proxy-options.ts'
import type { Plan } from '../proxy/port/mechanism.ts'
import { formatBackend, type TracedVerdict, type Verdict } from '../proxy/port/verdict.ts'
import { planVerdict } from '../proxy/simulate/plan-verdict.ts'
import { planOptions, sourceOptions } from './cluster-input.ts'
import { loadCluster } from './load-cluster.ts'
import { chooseMechanism } from './open-mechanism.ts'
import { outputFormat, outputOption, printValue } from './output-option.ts'
import { parseFlow } from './parse-flow.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan trace FROM TO`: what happens to a packet, and why. */
export const trace: Subcommand = {
  name: 'trace',
  summary: 'What happens to a packet, by the plan and by the rules in the kernel, and why',
  notes: `The rules are read from the kernel and followed step by step; no packet is sent. Without
CAP_NET_ADMIN only the plan is asked. Ends with 1 when plan and kernel disagree.

Examples:
  portolan trace 10.244.1.5 10.96.0.10:80/tcp
  portolan trace 203.0.113.9 192.168.50.1:30080/tcp --manifests ./manifests
  portolan trace [fd00:10:244::5] [fd00:10:96::a]:53/udp --interface veth1`,
  arguments: [
    { name: 'from', summary: "the client's address; one of this node's own for its processes" },
    { name: 'to', summary: 'address:port/protocol; without a protocol it is tcp' },
  ],
  options: [
    ...sourceOptions,
    { name: 'interface', value: 'NAME', summary: 'interface through which the packet comes in' },
    outputOption,
    ...planOptions,
  ],
  run,
}

/** What the command prints. */
interface Trace {
  readonly flow: Flow
  readonly plan: TracedVerdictRow
  /** Undefined: the kernel could not be read, and `kernelError` says why. */
  readonly kernel: TracedVerdictRow | undefined
  readonly kernelError: string | undefined
  readonly isEqual: boolean
}

interface TracedVerdictRow {
  readonly kind: Verdict['kind']
  readonly backends: readonly { readonly backend: string; readonly masqueraded: boolean }[]
  readonly affinitySeconds: number
  readonly path: readonly string[]
  readonly limit: string | undefined
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  outputFormat(input)
  const [from = '', to = ''] = input.arguments
  const words = { from, to, inputInterface: input.texts.interface }
  parseFlow(words, [])
  const { plan, cluster, localAddresses } = await loadCluster(input, io, signal)
  const flow = parseFlow(words, localAddresses)
  const planned = verdictRow(planVerdict(plan, flow, localAddresses))
  const { kernel, kernelError } = await traceKernel(cluster.options, flow, localAddresses, plan)
  const isEqual = kernel === undefined || sameVerdict(planned, kernel)
  printValue(input, io, { flow, plan: planned, kernel, kernelError, isEqual }, formatTrace)
  return isEqual ? 0 : 1
}

async function traceKernel(
  { configuration }: ProxyOptions,
  flow: Flow,
  localAddresses: readonly string[],
  plan: Plan,
): Promise<Pick<Trace, 'kernel' | 'kernelError'>> {
  try {
    const { mechanism } = await chooseMechanism(configuration)
    try {
      const traced = await mechanism.trace(flow, localAddresses, plan)
      return { kernel: verdictRow(traced), kernelError: undefined }
    } finally {
      mechanism.close()
    }
  } catch (error) {
    // Without the capability the plan alone is still worth its answer.
    const kernelError = error instanceof Error ? error.message : String(error)
    return { kernel: undefined, kernelError }
  }
}

function verdictRow({ verdict, path, limit }: TracedVerdict): TracedVerdictRow {
  if (verdict.kind !== 'balance') {
    return { kind: verdict.kind, backends: [], affinitySeconds: 0, path, limit }
  }
  const backends = [...verdict.backends]
    .map(([backend, masqueraded]) => ({ backend, masqueraded }))
    .sort((left, right) => (left.backend < right.backend ? -1 : 1))
  return { kind: verdict.kind, backends, affinitySeconds: verdict.affinitySeconds, path, limit }
}

function sameVerdict(left: TracedVerdictRow, right: TracedVerdictRow): boolean {
  const plain = (row: TracedVerdictRow): string =>
    JSON.stringify({ ...row, path: [], limit: undefined })
  return plain(left) === plain(right)
}

function formatTrace({ flow, plan, kernel, kernelError, isEqual }: Trace): string {
  const from = formatBackend(flow.source, flow.sourcePort)
  const to = formatBackend(flow.destination, flow.destinationPort)
  const origin = flow.origin === 'local' ? 'a process of this node' : 'received'
  const parts = [
    `${from} -> ${to}/${flow.protocol.toLowerCase()} (${origin})\n`,
    formatSide('plan', plan),
    kernel === undefined ? `kernel: not read: ${kernelError}\n` : formatSide('kernel', kernel),
  ]
  if (!isEqual && kernel?.limit === undefined) {
    parts.push('plan and kernel disagree: see portolan diff\n')
  }
  return parts.join('')
}

function formatSide(side: string, row: TracedVerdictRow): string {
  const path = row.path.map((step) => `  ${step}\n`).join('')
  return `${side}: ${formatVerdict(row)}\n${path}`
}

function formatVerdict(row: TracedVerdictRow): string {
  switch (row.kind) {
    case 'untouched':
      return `untouched: ${row.limit ?? 'no service has this address and port'}`
    case 'drop':
      return 'dropped'
    case 'reject':
      return `rejected: ${row.limit ?? 'the service has no endpoints'}`
    case 'balance': {
      const names = row.backends.map(
        ({ backend, masqueraded }) => `${backend}${masqueraded ? ' (masqueraded)' : ''}`,
      )
      const sticky = row.affinitySeconds > 0 ? `, sticky ${row.affinitySeconds}s` : ''
      return `balanced over ${names.join(', ')}${sticky}`
    }
    default:
      return never(row.kind)
  }
}
