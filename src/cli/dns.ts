import { openNodeLocal } from '../dns/node-local/node-local.ts'
import type { AnswerEngine } from '../dns/server/answer-engine.ts'
import { type DnsParts, serveDns } from '../dns/server/serve-dns.ts'
import { ThreadEngine } from '../dns/server/thread-engine.ts'
import type { WorkerSetup } from '../dns/workers/worker-messages.ts'
import { WorkerPool } from '../dns/workers/worker-pool.ts'
import { systemClock } from '../kube/clock.ts'
import type { ClusterSource } from '../kube/store.ts'
import { parseAddress } from '../net/address.ts'
import { createLogger, type Logger, type LogLevel, logLevels } from '../observe/logger.ts'
import { readLocalAddresses } from '../proxy/local-addresses.ts'
import { usageError } from './cli-error.ts'
import { sourceOptions } from './cluster-input.ts'
import { followConfiguration } from './configuration-changes.ts'
import { askDns, dnsActions } from './dns-ask.ts'
import { lazySource, openCluster } from './dns-cluster.ts'
import { readCorefile, readPort } from './dns-corefile.ts'
import { dnsWorkerEntry } from './dns-worker.ts'
import { outputOption } from './output-option.ts'
import { portableTableOption } from './portable-table.ts'
import {
  boundMemory,
  keepMemorySmall,
  releaseMemory,
  tuneYoungGeneration,
} from './process-memory.ts'
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
  portolan dns --manifests ./manifests --portable-table FILE   lead to portable mode's places
  portolan dns --node-local 169.254.20.10     a cache on the node, on an address of its own
  portolan dns query web.default.svc.cluster.local SRV --server 10.96.0.10
  portolan dns explain web.default.svc.cluster.local --manifests ./manifests
  portolan dns explain example.com --server 127.0.0.1:8080

query asks a running server, or with --conf, --manifests or --kubeconfig one that is opened for the
question. explain says which objects, rules, cache entries and upstreams make the answer: of a server
that is opened for the question, or with --server of a running one on this machine, by the address of
its health directive (127.0.0.1:8080).

Without --conf it serves cluster.local from the cluster, forwards everything else to the servers of
/etc/resolv.conf, and keeps answers for 30 seconds. Port 53 needs CAP_NET_BIND_SERVICE, --node-local
CAP_NET_ADMIN. tls:// and https:// blocks of the Corefile serve DNS over TLS and HTTPS. SIGHUP reads the Corefile again (with the
reload directive a change of the file is enough); a wrong one changes nothing. SIGTERM and SIGINT
end it.`,
  arguments: [
    { name: 'action', summary: 'query or explain; without it names are served', isOptional: true },
    { name: 'question', summary: 'name to ask for', isOptional: true },
    { name: 'type', summary: 'type of record (A)', isOptional: true },
  ],
  options: [
    ...sourceOptions,
    { name: 'conf', value: 'FILE', summary: 'Corefile (default: see below)' },
    { name: 'check', value: 'FILE', summary: 'check a Corefile and exit' },
    { name: 'dns.port', value: 'PORT', summary: 'port of server blocks that name none (53)' },
    { name: 'node-local', value: 'ADDRESSES', summary: 'addresses to make local to this node' },
    {
      name: 'server',
      value: 'ADDRESS',
      summary:
        'query: the server to ask; explain: the health page of a running one, [ADDRESS]:PORT',
    },
    { name: 'workers', value: 'NUMBER', summary: 'threads that answer queries (1)' },
    {
      name: 'randomize-case',
      summary: 'ask upstreams in random upper and lower case, against forged replies (0x20)',
    },
    portableTableOption,
    { name: 'tcp', summary: 'query and explain: ask over TCP' },
    { name: 'from', value: 'ADDRESS', summary: 'explain: address of the client (127.0.0.1)' },
    outputOption,
    { name: 'log-level', value: 'LEVEL', summary: 'error, warn, info (default) or debug' },
  ],
  run,
}

async function run(input: CommandInput, io: CliIo, signal: AbortSignal): Promise<ExitCode> {
  const { texts } = input
  const port = readPort(texts['dns.port'])
  if (texts.check !== undefined) {
    const { blocks } = readCorefile(texts.check, port, io)
    const count = blocks.length === 1 ? '1 server block' : `${blocks.length} server blocks`
    io.out(`${texts.check}: ${count}, nothing is wrong\n`)
    return 0
  }
  if (dnsActions.some((action) => action === input.arguments[0])) return askDns(input, io, signal)
  if (input.arguments[0] !== undefined) {
    throw usageError(
      `dns ${input.arguments[0]}: no such action, expected ${dnsActions.join(' or ')}`,
    )
  }
  const logLevel = readLogLevel(texts['log-level'])
  const workerCount = readWorkers(texts.workers)
  const randomizesCase = texts['randomize-case'] === 'true'
  const [actionOnly] = ['server', 'tcp', 'from'].filter((name) => texts[name] !== undefined)
  if (actionOnly !== undefined) {
    throw usageError(`--${actionOnly}: serves no purpose here, it is for dns query and dns explain`)
  }
  boundMemory()
  const logger = createLogger({ format: 'json', level: logLevel }, io.error)
  let corefile = readCorefile(texts.conf, port, io)
  const nodeLocal = readAddresses(texts['node-local'])
  if (nodeLocal.length > 0) requireNetAdmin(undefined, 'serve without --node-local')
  const local = nodeLocal.length > 0 ? openNodeLocal(nodeLocal, port) : undefined
  const closing = new AbortController()
  const parts: DnsParts = {
    logger,
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
    listening: (listeners, isFirst) => {
      // Collecting blocks: later, queries would wait for it.
      if (isFirst) releaseMemory()
      tuneYoungGeneration()
      logger.info({ listeners }, 'answering')
    },
  }
  const source = lazySource(() => openCluster(corefile, texts, io, logger, closing.signal))
  const engine = openEngine(workerCount, { source, logger, randomizesCase, logLevel }, io)
  try {
    keepMemorySmall(closing.signal)
    await serveDns(parts, engine, signal)
    logger.info({}, 'ended')
    return 0
  } finally {
    closing.abort()
    local?.close()
  }
}

interface EngineParts extends WorkerSetup {
  readonly source: ClusterSource
  readonly logger: Logger
}

function openEngine(
  workerCount: number,
  { source, logger, randomizesCase, logLevel }: EngineParts,
  io: CliIo,
): AnswerEngine {
  if (workerCount === 1) {
    const localAddresses = readLocalAddresses
    const parts = { source, logger, localAddresses, randomizesCase, clock: systemClock }
    return new ThreadEngine({ ...parts, isShared: false })
  }
  return new WorkerPool({
    workerCount,
    entry: dnsWorkerEntry,
    setup: { logLevel, randomizesCase },
    source,
    logger,
    log: io.error,
    clock: systemClock,
  })
}

function readWorkers(text = '1'): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 64) return count
  throw usageError(`--workers: got "${text}", expected 1 to 64`)
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

function readLogLevel(asked = 'info'): LogLevel {
  const level = logLevels.find((name) => name === asked)
  if (level !== undefined) return level
  throw usageError(`--log-level: got "${asked}", expected ${logLevels.join(', ')}`)
}
