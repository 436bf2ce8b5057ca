import { once } from 'node:events'
import { openReactor } from '../../src/reactor/open-reactor.ts'
import type { EngineName } from '../../src/reactor/reactor.ts'
import type { RelaySubject } from './relay-subject.ts'

/** Our relay on one engine; undefined where that does not work here. */
export function ownSubject(
  engine: EngineName,
  print: (line: string) => void,
): RelaySubject | undefined {
  const refusal = refusalOf(engine)
  if (refusal !== undefined) {
    print(`engine ${engine} is left out: ${refusal}`)
    return undefined
  }
  return {
    name: `portolan ${engine}`,
    relays: ['TCP', 'UDP'],
    async start(bed) {
      const { child } = await bed.script(new URL('./own-relay.ts', import.meta.url), { engine })
      return {
        pid: child.pid ?? 0,
        changeEndpoint: async (port) => {
          if (child.stdin?.write(`${port}\n`) === false) await once(child.stdin, 'drain')
        },
        stop: () => bed.stop(child),
      }
    },
  }
}

function refusalOf(engine: EngineName): string | undefined {
  const abort = new AbortController()
  try {
    openReactor({ engine }, abort.signal)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    abort.abort()
  }
}
