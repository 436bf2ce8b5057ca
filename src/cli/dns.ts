import { readFileSync } from 'node:fs'
import { type Corefile, checkCorefile } from '../dns/corefile/check-corefile.ts'
import { importFiles } from '../dns/corefile/import-files.ts'
import { openNodeLocal } from '../dns/node-local/node-local.ts'
import { type DnsParts, serveDns } from '../dns/server/serve-dns.ts'
import { systemClock } from '../kube/clock.ts'
import { formatSourceEvent } from '../kube/source-event.ts'
import type { ClusterSource } from '../kube/store.ts'
import { parseAddress } from '../net/address.ts'
import { createLogger, type Logger, type LogLevel, logLevels } from '../observe/logger.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { openSource, type SourceLocation } from '../proxy/open-source.ts'
import { failure, usageError } from './cli-error.ts'
import { sourceOptions } from './cluster-input.ts'
import { followConfiguration } from './configuration-changes.ts'
import { boundMemory, releaseMemory } from './process-memory.ts'
import { requireNetAdmin } from './require-net-admin.ts'
import type { CliIo, CommandInput, ExitCode, Subcommand } from './subcommand.ts'

/** `portolan dns`: the cluster's name server. */
export const dns: Subcommand = {
  name: 'dns',
  summary: "Answer for the cluster's names (what CoreDNS does)",
  notes: `Examples:
  portolan dns --manifests ./manifests --dns.port 5353
  portolan dns --conf Corefile --kubeconfig dns.conf
  portolan dns --check Corefile               say what is wrong with it, serve nothing
  portolan dns --node-local 169.254.20.10     a cache on the node, on an address of its own

Without --conf it serves cluster.local from the cluster, forwards everything else to the servers of
/etc/resolv.conf, and keeps answers for 30 seconds. Port 53 needs CAP_NET_BIND_SERVICE, --node-local
CAP_NET_ADMIN. DNS over TLS is served, over HTTPS not yet. SIGHUP reads the Corefile again (with the
reload directive a change of the file is enough); a wrong one changes nothing. SIGTERM and SIGINT
end it.`,
  options: [
    ...sourceOptions,
    { name: 'conf', value: 'FILE', summary: 'Corefile (default: see below)' },
    { name: 'check', value: 'FILE', summary: 'check a Corefile and exit' },
    { name: 'dns.port', value: 'PORT', summary: 'port of server blocks that name none (53)' },
    { name: 'node-local', value: 'ADDRESSES', summary: 'addresses to make local to this node' },
    { name: 'log-level', value: 'LEVEL', summary: 'error, warn, info (default) or debug' },
  ],
  run,
}

const defaultCorefile = `.:{$PORTOLAN_DNS_PORT} {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa 
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  prometheus :9153
  forward . /etc/resolv.conf
  cache 30
  loop
  loadbalance
}
`

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  const { texts } = input
  const port = readPort(texts['dns.port'])
  if (texts.check !== undefined) {
    const { blocks } = readCorefile(texts.check, port, io)
    io.out(`${texts.check}: ${blocks.length} server blocks, nothing is wrong\n`)
    return 0
  }
  boundMemory()
  const logger = openLog(texts['log-level'], io)
  let corefile = readCorefile(texts.conf, port, io)
  const nodeLocal = readAddresses(texts['node-local'])
  if (nodeLocal.length > 0) requireNetAdmin()
  const local = nodeLocal.length > 0 ? openNodeLocal(nodeLocal, port) : undefined
  const closing = new AbortController()
  const parts: DnsParts = {
    logger,
    source: lazySource(() => openCluster(corefile, texts, io, logger, closing.signal)),
    localAddresses: readLocalAddresses,
    readCorefile: () => {
      corefile = readCorefile(texts.conf, port, io)
      return corefile
    },
    onReload: (reload, living) => {
      const changed = (why: string): void => {
        // Without the directive a file may be changed in peace, as in CoreDNS.
        const isWatched = corefile.blocks.some(({ settings }) => settings.reload !== undefined)
        if (why === 'SIGHUP' || isWatched) reload()
      }
      followConfiguration(texts.conf, systemClock, changed, living)
    },
    listening: (listeners) => {
      releaseMemory()
      logger.info({ listeners }, 'answering')
    },
  }
  try {
    await serveDns(parts, signal)
    logger.info({}, 'ended')
    return 0
  } finally {
    closing.abort()
    local?.close()
  }
}

/** Opens the cluster's source when a `kubernetes` directive first asks for it: a cache needs none. */
function lazySource(open: () => Promise<ClusterSource>): ClusterSource {
  let source: Promise<ClusterSource> | undefined
  return {
    async watch(kind, selection, sink, signal) {
      source ??= open()
      await (await source).watch(kind, selection, sink, signal)
    },
  }
}

async function openCluster(
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

/** Throws a CorefileError with every fault of the file, a failure when it cannot be read. */
function readCorefile(file: string | undefined, defaultPort: number, io: CliIo): Corefile {
  const { environment } = io
  if (file === undefined) {
    return checkCorefile('default Corefile', defaultCorefile, {
      environment: { ...environment, PORTOLAN_DNS_PORT: `${defaultPort}` },
      importFiles,
      defaultPort,
    })
  }
  return checkCorefile(file, readText(file), { environment, importFiles, defaultPort })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw failure(`Corefile ${file}: cannot be read (${reason}); give a readable file`, error)
  }
}

function readPort(text = '53'): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port
  throw usageError(`--dns.port: got "${text}", expected 1 to 65535`)
}

function readAddresses(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  return text.split(',').map((word) => {
    const address = parseAddress(word.trim())
    if (address === undefined) {
      throw usageError(`--node-local: got "${word}", expected addresses separated by commas`)
    }
    return address.text
  })
}

function openLog(asked: string | undefined, io: CliIo): Logger {
  const level: LogLevel | undefined = logLevels.find((name) => name === (asked ?? 'info'))
  if (level === undefined) {
    throw usageError(`--log-level: got "${asked}", expected ${logLevels.join(', ')}`)
  }
  return createLogger({ format: 'json', level }, io.error)
}
