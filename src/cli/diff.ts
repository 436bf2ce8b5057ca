import type { Difference } from '../proxy/port/mechanism.ts'
import { planOptions, sourceOptions } from './cluster-input.ts'
import { loadCluster } from './load-cluster.ts'
import { chooseMechanism } from './open-mechanism.ts'
import { outputOption, printValue } from './output-option.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan diff`: the kernel against the plan. */
export const diff: Subcommand = {
  name: 'diff',
  summary: 'Compare the kernel with the plan; writes nothing',
  notes: `Ends with 0 when they are equal and with 1 when they differ. Needs CAP_NET_ADMIN.

Example:
  portolan diff --manifests ./manifests`,
  options: [...sourceOptions, outputOption, ...planOptions],
  run,
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  requireNetAdmin()
  const { plan, cluster } = await loadCluster(input, io, signal)
  const { mechanism } = await chooseMechanism(cluster.options.configuration)
  try {
    const differences = await mechanism.compare(plan)
    printValue(input, io, { differences }, formatDifferences)
    return differences.length === 0 ? 0 : 1
  } finally {
    mechanism.close()
  }
}

const signs: Readonly<Record<Difference['kind'], string>> = {
  missing: '+',
  unexpected: '-',
  changed: '~',
}

function formatDifferences(value: { readonly differences: readonly Difference[] }): string {
  const { differences } = value
  if (differences.length === 0) return 'the kernel has exactly what the plan asks for\n'
  const lines = differences.map(({ kind, object }) => `${signs[kind]} ${object}\n`)
  const count = differences.length === 1 ? '1 difference' : `${differences.length} differences`
  return `${lines.join('')}${count}: + is missing in the kernel, - is too much, ~ is different\n`
}
