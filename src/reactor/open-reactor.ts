import { PortableReactor } from './portable/portable-reactor.ts'
import type { Reactor } from './reactor.ts'
import { ReactorError } from './reactor-error.ts'
import { defaultLimits, type EngineSettings, type ReactorOptions } from './reactor-options.ts'

/** Opens a reactor on the best engine that works here: io_uring, else epoll, else Node's sockets; `reason`
 *  tells why. It ends when the signal is aborted. Throws ReactorError when the engine asked for does not
 *  work. */
export function openReactor(options: ReactorOptions, signal: AbortSignal): Reactor {
  const settings: EngineSettings = {
    limits: { ...defaultLimits, ...options.limits },
    isBlocking: options.drive === 'blocking',
    isChecked: options.isChecked ?? false,
  }
  if (options.engine !== undefined && options.engine !== 'portable') {
    throw new ReactorError(`open engine ${options.engine}`, 0, 'not available')
  }
  return new PortableReactor(settings, 'portable: asked for', signal)
}
