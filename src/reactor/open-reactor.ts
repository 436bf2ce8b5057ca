import { DescriptorReactor, type OpenDriver } from './descriptors/descriptor-reactor.ts'
import { EpollDriver } from './epoll/epoll-driver.ts'
import { PortableReactor } from './portable/portable-reactor.ts'
import type { EngineName, Reactor } from './reactor.ts'
import { ReactorError } from './reactor-error.ts'
import { defaultLimits, type EngineSettings, type ReactorOptions } from './reactor-options.ts'
import { UringDriver } from './uring/uring-driver.ts'

type OpenEngine = (settings: EngineSettings, reason: string, signal: AbortSignal) => Reactor

/** Best first. */
const engines: readonly { readonly name: EngineName; readonly open: OpenEngine }[] = [
  { name: 'uring', open: onDescriptors((parts, events) => new UringDriver(parts, events)) },
  { name: 'epoll', open: onDescriptors((parts, events) => new EpollDriver(parts, events)) },
  {
    name: 'portable',
    open: (settings, reason, signal) => new PortableReactor(settings, reason, signal),
  },
]

function onDescriptors(open: OpenDriver): OpenEngine {
  return (settings, reason, signal) => new DescriptorReactor(settings, reason, open, signal)
}

/** Opens a reactor on the best engine that works here: io_uring, else epoll, else Node's sockets; `reason` tells why. It ends
 *  when the signal is aborted. Throws ReactorError when the engine that is asked for does not work. */
export function openReactor(options: ReactorOptions, signal: AbortSignal): Reactor {
  const settings: EngineSettings = {
    limits: { ...defaultLimits, ...options.limits },
    isBlocking: options.drive === 'blocking',
    isChecked: options.isChecked ?? false,
  }
  const refusals: string[] = []
  for (const { name, open } of engines) {
    if (options.engine !== undefined && options.engine !== name) continue
    const reason =
      options.engine === undefined ? [...refusals, name].join('; ') : `${name}: asked for`
    try {
      return open(settings, reason, signal)
    } catch (error) {
      refusals.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const wanted = options.engine ?? 'any engine'
  throw new ReactorError(`open ${wanted}`, 0, refusals.join('; '))
}
