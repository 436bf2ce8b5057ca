import { refuse } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeDuration,
  decodeInteger,
  decodeOptions,
  refuseBody,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** A directive without arguments: it is there or not. */
export function decodeSwitch(entry: Entry): true {
  argumentsOf(entry, { min: 0, max: 0 })
  refuseBody(entry)
  return true
}

/** Decodes `bufsize [BYTES]`: the largest UDP answer. Default: the DNS flag day's 1232. */
export function decodeBufsize(entry: Entry): number {
  refuseBody(entry)
  const [size] = argumentsOf(entry, { min: 0, max: 1 })
  return size === undefined ? 1232 : decodeInteger(size, 512, 4096)
}

/** Decodes `nsid [TEXT]`; undefined: the name of this host. */
export function decodeNsid(entry: Entry): string | undefined {
  refuseBody(entry)
  const words = argumentsOf(entry, { min: 0 })
  return words.length === 0 ? undefined : words.map((word) => word.text).join(' ')
}

/** Decodes `root FOLDER`. */
export function decodeRoot(entry: Entry): string {
  refuseBody(entry)
  return argumentOf(entry).text
}

/** The `timeouts` directive, for connections. */
export interface TimeoutSettings {
  readonly readMs: number
  readonly writeMs: number
  readonly idleMs: number
}

/** Times without the directive: CoreDNS' own. RFC 7766 section 6.2.3 leaves the idle time to the server, with
 *  some seconds as advice. */
export const defaultTimeouts: TimeoutSettings = { readMs: 3_000, writeMs: 5_000, idleMs: 10_000 }

/** Decodes `timeouts { read|write|idle DURATION }`; at least one of them. */
export function decodeTimeouts(entry: Entry): TimeoutSettings {
  argumentsOf(entry, { min: 0, max: 0 })
  if ((entry.body ?? []).length === 0) {
    refuse(entry.words[0], 'timeouts needs at least one of read, write and idle')
  }
  const timeouts = { ...defaultTimeouts }
  decodeOptions(entry, {
    read: (option) => {
      timeouts.readMs = decodeTimeout(option)
    },
    write: (option) => {
      timeouts.writeMs = decodeTimeout(option)
    },
    idle: (option) => {
      timeouts.idleMs = decodeTimeout(option)
    },
  })
  return timeouts
}

/** A duration, or a number of seconds; within CoreDNS' bounds. */
function decodeTimeout(option: Entry): number {
  const token = argumentOf(option)
  const timeoutMs = /^[0-9]+$/.test(token.text)
    ? decodeInteger(token, 1, 86_400) * 1_000
    : decodeDuration(token)
  if (timeoutMs >= 1_000 && timeoutMs <= 86_400_000) return timeoutMs
  refuse(token, `got ${JSON.stringify(token.text)}, expected a duration of 1s to 24h`)
}
