import { type Next, type Outcome, type Plugin, whenReplied } from '../chain/plugin.ts'
import { failure } from '../chain/reply.ts'
import type { Request, Trace } from '../chain/request.ts'
import type { BlockSettings } from '../corefile/check-corefile.ts'
import { refuse } from '../corefile/corefile-error.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'
import { aclPlugin } from './acl.ts'
import { anyPlugin } from './any.ts'
import { autopathPlugin, type SearchPathOf } from './autopath.ts'
import { bufsizePlugin } from './bufsize.ts'
import { cachePlugin } from './cache.ts'
import type { ChainParts } from './chain-parts.ts'
import { dns64Plugin } from './dns64.ts'
import { errorsPlugin } from './errors.ts'
import { filePlugin } from './file.ts'
import { forwardPlugins } from './forward-targets.ts'
import { headerPlugin } from './header.ts'
import { hostsPlugin } from './hosts.ts'
import { loadbalancePlugin } from './loadbalance.ts'
import { localPlugin } from './local.ts'
import { loopPlugin } from './loop.ts'
import { minimalPlugin } from './minimal.ts'
import { nsidPlugin } from './nsid.ts'
import { searchDomains } from './resolv-conf.ts'
import { rewritePlugin } from './rewrite.ts'
import { templatePlugin } from './template.ts'
import { transferPlugin } from './transfer.ts'
import { weightTable } from './weights.ts'
import { whoamiPlugin } from './whoami.ts'

/** The plugins of a server block, linked. */
export interface Chain {
  /** In the order in which they see a query. */
  readonly plugins: readonly Plugin[]
  /** Asks the first one. */
  readonly ask: Next
  /** No plugin is there: every query is refused. */
  readonly isEmpty: boolean
}

/** Makes the plugins of a block and links them in CoreDNS' order. Throws a CorefileError when a file that
 *  a directive needs is not there. */
export function buildChain(block: BlockSettings, parts: ChainParts): Chain {
  const sources = answeringPlugins(block, parts)
  const plugins = [...changingPlugins(block, parts, sources), ...sources]
  const end: Next = () => failure(rcodes.SERVFAIL, 'no plugin answers this query')
  const ask = plugins.reduceRight<Next>(
    (next, plugin) => (request) =>
      request.trace === undefined
        ? plugin.serve(request, next)
        : serveTraced(plugin, request, next, request.trace),
    end,
  )
  // A block that only counts or logs fails; one with nothing at all refuses.
  const watches = block.settings.log !== undefined || block.settings.prometheus !== undefined
  return { plugins, ask, isEmpty: plugins.length === 0 && !watches }
}

/** Serves, and notes it when the plugin answers without those behind it. */
function serveTraced(plugin: Plugin, request: Request, next: Next, trace: Trace): Outcome {
  let isPassedOn = false
  const outcome = plugin.serve(request, (passed) => {
    isPassedOn = true
    return next(passed)
  })
  return whenReplied(outcome, (reply) => {
    if (!isPassedOn) trace.note(plugin.name, outcomeNotes[reply.kind])
    return reply
  })
}

const outcomeNotes = {
  answer: 'gives the answer',
  failure: 'gives up: the answer is a failure',
  dropped: 'drops the query',
} as const

/** Plugins that look at queries and change answers, in order. */
function changingPlugins(
  { settings }: BlockSettings,
  parts: ChainParts,
  sources: readonly Plugin[],
): readonly Plugin[] {
  const { clock, log, random } = parts
  return [
    ...each(settings.nsid, (text) => nsidPlugin(text ?? parts.hostName)),
    ...each(settings.bufsize, bufsizePlugin),
    ...each(settings.errors, (errors) => errorsPlugin(errors, { log, clock })),
    ...each(settings.local, localPlugin),
    ...each(settings.dns64, dns64Plugin),
    ...once(settings.acl, aclPlugin),
    ...each(settings.any, anyPlugin),
    ...each(settings.loadbalance, ({ prefer, weights }) => {
      const table = weights === undefined ? undefined : weightTable(weights, { clock, log })
      return loadbalancePlugin({ random, prefer, weights: table })
    }),
    ...each(settings.cache, (cache) =>
      cachePlugin(cache, { clock, observer: parts.cacheObserver }),
    ),
    ...once(settings.rewrite, rewritePlugin),
    ...each(settings.header, headerPlugin),
    ...each(settings.autopath, (autopath) => {
      const { source } = autopath
      if (source.kind === 'plugin') {
        return autopathPlugin(autopath.zones, searchPathOf(source.name, sources))
      }
      const text = parts.readFile(source.path)
      if (text === undefined) refuse(source.token, `${source.path} cannot be read`)
      const path = [...searchDomains(text), '']
      return autopathPlugin(autopath.zones, () => path)
    }),
    ...each(settings.minimal, minimalPlugin),
    ...once(settings.template, templatePlugin),
    ...once(settings.transfer, (rules) => transferPlugin(rules, sources)),
  ]
}

/** Plugins that know answers, in order. */
function answeringPlugins(block: BlockSettings, parts: ChainParts): readonly Plugin[] {
  const { settings, zones } = block
  const { clock, random } = parts
  const isFileLast = (settings.loop ?? settings.forward ?? settings.whoami) === undefined
  return [
    ...each(settings.hosts, (hosts) => hostsPlugin(hosts, parts)),
    ...each(settings.kubernetes, parts.kubernetes),
    ...once(settings.file, (files) => filePlugin(files, parts, isFileLast)),
    ...each(settings.loop, () => {
      const listener = { host: settings.bind?.[0]?.listen[0]?.text ?? '', port: block.keys[0].port }
      const askItself = (name: DnsName, type: number): Promise<void> =>
        parts.askListener(listener, name, type)
      return loopPlugin({ zone: zones[0], random, clock, askItself, onLoop: parts.onLoop })
    }),
    ...forwardPlugins(settings.forward ?? [], parts),
    ...each(settings.whoami, whoamiPlugin),
  ]
}

function searchPathOf(name: string, sources: readonly Plugin[]): SearchPathOf {
  const plugin = sources.find((source) => source.name === name)
  return (request) => plugin?.searchPath?.(request)
}

function each<Settings>(
  settings: readonly Settings[] | undefined,
  make: (settings: Settings) => Plugin,
): readonly Plugin[] {
  return (settings ?? []).map((one) => make(one))
}

/** One plugin for all directives of a name. */
function once<Settings>(
  settings: readonly Settings[] | undefined,
  make: (settings: readonly Settings[]) => Plugin,
): readonly Plugin[] {
  return settings === undefined ? [] : [make(settings)]
}
