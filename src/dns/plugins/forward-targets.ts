import type { Plugin } from '../chain/plugin.ts'
import { CorefileError, refuse } from '../corefile/corefile-error.ts'
import type { ForwardSettings, ForwardTarget } from '../corefile/decode-forward.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ChainParts } from './chain-parts.ts'
import { type ForwardInputs, forwardPlugin } from './forward.ts'
import { nameServers } from './resolv-conf.ts'
import { watchFile } from './watched-file.ts'

/** The `forward` plugins of a block, in order; each knows the one behind it. */
export function forwardPlugins(
  directives: readonly ForwardSettings[],
  parts: ChainParts,
): readonly Plugin[] {
  const { clock, random, forwardObserver: observer } = parts
  const plugins: Plugin[] = []
  for (const settings of directives.toReversed()) {
    const open = (): readonly Upstream[] =>
      settings.to.flatMap((target) => openTarget(target, settings, parts))
    const inputs = { clock, random, observer, upstreams: open(), following: plugins[0] }
    const watchUpstreams = watchFiles(settings, open, parts)
    plugins.unshift(forwardPlugin(settings, { ...inputs, watchUpstreams }))
  }
  return plugins
}

/** How often files that list upstreams are looked at. */
const watchMs = 5_000

/** Opens the upstreams again when a file that lists some changes; one that lists none any more, or cannot
 *  be read, leaves those before. */
function watchFiles(
  settings: ForwardSettings,
  open: () => readonly Upstream[],
  { clock, log }: ChainParts,
): ForwardInputs['watchUpstreams'] {
  const paths = settings.to.flatMap((target) => (target.kind === 'file' ? target.path : []))
  return async (signal, replace) => {
    const watches = paths.map((path) =>
      watchFile({ path, intervalMs: watchMs }, clock, signal, () => {
        try {
          replace(open())
        } catch (error) {
          if (!(error instanceof CorefileError)) throw error
          log.warn({ path, reason: error.message }, 'upstreams stay as they were')
        }
      }),
    )
    await Promise.all(watches)
  }
}

function openTarget(
  target: ForwardTarget,
  settings: ForwardSettings,
  parts: ChainParts,
): readonly Upstream[] {
  if (target.kind === 'server') return [parts.openUpstream(target, settings)]
  const text = parts.readFile(target.path)
  if (text === undefined) refuse(target.token, `${target.path} cannot be read`)
  const addresses = nameServers(text)
  if (addresses.length === 0) refuse(target.token, `${target.path} names no nameserver`)
  const { token } = target
  return addresses.map((address) => {
    const server = { kind: 'server', transport: 'dns', address, port: 53, path: '', token } as const
    return parts.openUpstream(server, settings)
  })
}
