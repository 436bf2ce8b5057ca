import { formatSourceEvent, type SourceEvent } from '../kube/source-event.ts'
import { loadPlan } from '../proxy/load-plan.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { openSource } from '../proxy/open-source.ts'
import type { Plan } from '../proxy/port/mechanism.ts'
import { failure } from './cli-error.ts'
import { type ClusterInput, readClusterInput } from './cluster-input.ts'
import type { CliIo, CommandInput } from './subcommand.ts'

/** The cluster at one moment, planned for this node. */
export interface LoadedCluster {
  readonly plan: Plan
  readonly cluster: ClusterInput
  /** Canonical addresses of this node. */
  readonly localAddresses: readonly string[]
}

/** Reads the cluster once, for commands that look and end. Warnings go to the error output. Rejects when
 *  the source cannot be read, or with the signal's reason. */
export async function loadCluster(
  input: CommandInput,
  io: CliIo,
  signal: AbortSignal,
): Promise<LoadedCluster> {
  const cluster = readClusterInput(input, io)
  for (const warning of cluster.warnings) io.error(`warning: ${warning}\n`)
  const closing = new AbortController()
  const living = AbortSignal.any([signal, closing.signal])
  const report = (event: SourceEvent): void => {
    // A daemon waits for a server that does not answer; who looks once wants to know it now.
    if (event.kind === 'watch failed') closing.abort(failure(event.error.message, event.error))
    else io.error(`warning: ${formatSourceEvent(event)}\n`)
  }
  try {
    const { source } = await openSource(cluster.location, report, living)
    const localAddresses = readLocalAddresses()
    const plan = await loadPlan(source, cluster.options, localAddresses, living)
    return { plan, cluster, localAddresses }
  } finally {
    closing.abort()
  }
}
