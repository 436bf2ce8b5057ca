import type { Corefile } from '../dns/corefile/check-corefile.ts'
import { formatSourceEvent } from '../kube/source-event.ts'
import type { ClusterSource } from '../kube/store.ts'
import type { Logger } from '../observe/logger.ts'
import { openSource, type SourceLocation } from '../proxy/open-source.ts'
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
  { manifests, kubeconfig }: CommandInput['texts'],
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
  return source
}

/** The kubeconfig that a `kubernetes` directive names. */
function namedKubeconfig({ blocks }: Corefile): string | undefined {
  return blocks
    .flatMap(({ settings }) => settings.kubernetes ?? [])
    .map(({ access }) => access.kubeconfig)
    .find((file) => file !== undefined)
}
