import type { Plugin } from '../chain/plugin.ts'
import { refuse } from '../corefile/corefile-error.ts'
import type { ForwardSettings, ForwardTarget } from '../corefile/decode-forward.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ChainParts } from './chain-parts.ts'
import { forwardPlugin } from './forward.ts'
import { nameServers } from './resolv-conf.ts'

/** The `forward` plugins of a block, in order; each knows the one behind it. */
export function forwardPlugins(
  directives: readonly ForwardSettings[],
  parts: ChainParts,
): readonly Plugin[] {
  const { clock, random, forwardObserver: observer } = parts
  const plugins: Plugin[] = []
  for (const settings of directives.toReversed()) {
    const upstreams = settings.to.flatMap((target) => openTarget(target, settings, parts))
    const following = plugins[0]
    plugins.unshift(forwardPlugin(settings, { clock, random, upstreams, observer, following }))
  }
  return plugins
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
