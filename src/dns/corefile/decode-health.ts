import {
  argumentOf,
  argumentsOf,
  decodeChoice,
  decodeDuration,
  decodeListener,
  decodeOptions,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** Where an endpoint for people and dashboards listens; an empty host is every address. */
export interface Listener {
  readonly host: string
  readonly port: number
}

/** The `health` directive. */
export interface HealthSettings {
  readonly listen: Listener
  /** Time between being told to end and ending, in which queries are answered and health is not given. */
  readonly lameduckMs: number
}

/** The `ready` directive. */
export interface ReadySettings {
  readonly listen: Listener
  /** Plugins are asked again after they were ready once. */
  readonly isContinuous: boolean
}

/** Decodes `health [ADDRESS:PORT] { lameduck DURATION }`. */
export function decodeHealth(entry: Entry): HealthSettings {
  let lameduckMs = 0
  decodeOptions(entry, {
    lameduck: (option) => {
      lameduckMs = decodeDuration(argumentOf(option))
    },
  })
  return { listen: decodeListen(entry, { host: '', port: 8080 }), lameduckMs }
}

/** Decodes `ready [ADDRESS:PORT] { monitor until-ready|continuously }`. */
export function decodeReady(entry: Entry): ReadySettings {
  let isContinuous = false
  decodeOptions(entry, {
    monitor: (option) => {
      const mode = decodeChoice(argumentOf(option), ['until-ready', 'continuously'])
      isContinuous = mode === 'continuously'
    },
  })
  return { listen: decodeListen(entry, { host: '', port: 8181 }), isContinuous }
}

/** Decodes `prometheus [ADDRESS:PORT]`. */
export function decodePrometheus(entry: Entry): Listener {
  decodeOptions(entry, {})
  return decodeListen(entry, { host: 'localhost', port: 9153 })
}

function decodeListen(entry: Entry, fallback: Listener): Listener {
  const [token] = argumentsOf(entry, { min: 0, max: 1 })
  return token === undefined ? fallback : decodeListener(token)
}
