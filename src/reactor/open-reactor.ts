import { PortableReactor } from './portable/portable-reactor.ts'
import type { Reactor } from './reactor.ts'
import { ReactorError } from './reactor-error.ts'
import { defaultLimits, type EngineSettings, type ReactorOptions } from './reactor-options.ts'

/** Opens a reactor on Node's sockets, the only engine that there is so far. It ends when the signal is
 *  aborted. Throws ReactorError when another engine is asked for. */
export function openReactor(options: ReactorOptions, signal: AbortSignal): Reactor {
  const settings: EngineSettings = {
    limits: { ...defaultLimits, ...options.limits },
    isBlocking: options.drive === 'blocking',
    isChecked: options.isChecked ?? false,
  }
  if (options.engine !== undefined && options.engine !== 'portable') {
    throw new ReactorError(`open engine ${options.engine}`, 0, 'is not built yet: use portable')
  }
  return new PortableReactor(settings, 'portable: the only engine so far', signal)
}
