import { defaultRelayOptions, type RelayOptions } from '../proxy/relay/relay-options.ts'
import { usageError } from './cli-error.ts'
import type { CommandInput, CommandOption } from './subcommand.ts'

/** The options of modes that relay in user space. */
export const relayOptions: readonly CommandOption[] = [
  {
    name: 'userspace-drain',
    value: 'HOW',
    summary: 'continue or reset: TCP connections to endpoints that are gone (continue)',
  },
  {
    name: 'userspace-idle-timeout',
    value: 'SECONDS',
    summary: 'ends TCP connections on which nothing happens (0: never)',
  },
  {
    name: 'userspace-proxy-protocol',
    value: 'VERSION',
    summary: 'v1 or v2: endpoints of TCP services are told of their clients by a PROXY header',
  },
  {
    name: 'userspace-source',
    value: 'WHOSE',
    summary: 'node or client: whose address endpoints see, where the plan keeps the client (node)',
  },
  {
    name: 'userspace-udp-timeout',
    value: 'SECONDS',
    summary: 'ends UDP flows on which nothing happens (30 without an answer, 120 with one)',
  },
]

/** Decodes the options. Throws a usage error that names the option and what it takes. */
export function readRelayOptions({ texts }: CommandInput): RelayOptions {
  const drain = texts['userspace-drain'] ?? defaultRelayOptions.drain
  if (drain !== 'continue' && drain !== 'reset') {
    throw usageError(`--userspace-drain: got "${drain}", expected continue or reset`)
  }
  const proxyProtocol = texts['userspace-proxy-protocol']
  if (proxyProtocol !== undefined && proxyProtocol !== 'v1' && proxyProtocol !== 'v2') {
    throw usageError(`--userspace-proxy-protocol: got "${proxyProtocol}", expected v1 or v2`)
  }
  const source = texts['userspace-source'] ?? defaultRelayOptions.source
  if (source !== 'node' && source !== 'client') {
    throw usageError(`--userspace-source: got "${source}", expected node or client`)
  }
  const idle = seconds('userspace-idle-timeout', texts, 0)
  const udp = seconds('userspace-udp-timeout', texts, 0.25)
  return {
    ...defaultRelayOptions,
    drain,
    source,
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    idleTimeoutMs: idle === undefined ? defaultRelayOptions.idleTimeoutMs : idle * 1000,
    sessionTimeoutMs:
      udp === undefined
        ? defaultRelayOptions.sessionTimeoutMs
        : { unanswered: udp * 1000, answered: udp * 1000 },
  }
}

/** A day: longer timeouts would only be mistyped. */
const longestSeconds = 86_400

function seconds(name: string, texts: CommandInput['texts'], least: number): number | undefined {
  const text = texts[name]
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= longestSeconds) return value
  throw usageError(`--${name}: got "${text}", expected seconds from ${least} to ${longestSeconds}`)
}
