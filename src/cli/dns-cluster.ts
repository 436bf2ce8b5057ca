import type { Corefile } from '../dns/corefile/check-corefile.ts'
import { systemClock } from '../kube/clock.ts'
import { formatSourceEvent } from '../kube/source-event.ts'
import type { ClusterSource } from '../kube/store.ts'
import type { Logger } from '../observe/logger.ts'
import { openSource, type SourceLocation } from '../proxy/open-source.ts'
import { type PlaceTables, placedSource } from '../proxy/portable/placed-source.ts'
import { readTableFile } from '../proxy/portable/table-file.ts'
import { followConfiguration } from './configuration-changes.ts'
import type { CliIo, CommandInput } from './subcommand.ts'

/** Opens the cluster's source when a `kubernetes` directive first asks for it: a cache needs none. */
export function lazySource(open: () => Promise<ClusterSource>): ClusterSource {
  let source: Promise<ClusterSource> | undefined
  return {
    async watch(kind, selection, sink, signal) {
      source ??= open()
      await (await source).watch(kind, selection, sink, signal)
    },
  }
}

/** The cluster that the options name, else the one of the Corefile. */
export async function openCluster(
  corefile: Corefile,
  { manifests, kubeconfig, 'portable-table': table }: CommandInput['texts'],
  { environment }: CliIo,
  logger: Logger,
  signal: AbortSignal,
): Promise<ClusterSource> {
  const location: SourceLocation =
    manifests === undefined
      ? {
          kind: 'cluster',
          kubeconfig: kubeconfig ?? namedKubeconfig(corefile) ?? '',
          master: undefined,
          environment,
        }
      : { kind: 'manifests', folder: manifests }
  const { source, name } = await openSource(
    location,
    (event) => logger.warn({}, formatSourceEvent(event)),
    signal,
    { keepsPodNames: true },
  )
  logger.info({ source: name }, 'starting')
  return table === undefined ? source : placedSource(source, placeTables(table, logger, signal))
}

/** The table of portable mode in a file, which need not be there yet. */
function placeTables(file: string, logger: Logger, living: AbortSignal): PlaceTables {
  return {
    read() {
      try {
        return readTableFile(file)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        logger.warn({ file, reason }, 'no table of portable mode: names have the cluster addresses')
        return undefined
      }
    },
    follow: (changed, signal) =>
      followConfiguration(file, systemClock, changed, AbortSignal.any([living, signal])),
  }
}

/** The kubeconfig that a `kubernetes` directive names. */
function namedKubeconfig({ blocks }: Corefile): string | undefined {
  return blocks
    .flatMap(({ settings }) => settings.kubernetes ?? [])
    .map(({ access }) => access.kubeconfig)
    .find((file) => file !== undefined)
}
