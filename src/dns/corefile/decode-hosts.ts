import type { DnsName } from '../wire/name.ts'
import { type BlockContext, filePath } from './block-context.ts'
import { refuseUnknown } from './corefile-error.ts'
import {
  argumentOf,
  argumentsOf,
  decodeDuration,
  decodeFallthrough,
  decodeInteger,
  decodeOptions,
  isBare,
} from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'
import { zonesOrDefault } from './server-key.ts'

/** The `hosts` directive. */
export interface HostsSettings {
  readonly path: string
  readonly zones: readonly DnsName[]
  /** Lines of the Corefile itself. */
  readonly inline: readonly string[]
  readonly fallthrough: readonly DnsName[]
  readonly ttlSeconds: number
  /** 0: the file is read once. */
  readonly reloadMs: number
  /** Addresses lead back to their names. */
  readonly hasReverse: boolean
}

const options = ['fallthrough', 'no_reverse', 'ttl', 'reload']

/** Decodes `hosts [FILE [ZONES...]] { [ADDRESS NAMES...] ... }`. */
export function decodeHosts(entry: Entry, context: BlockContext): HostsSettings {
  const [path, ...zones] = argumentsOf(entry, { min: 0 })
  const inline: string[] = []
  let settings: HostsSettings = {
    path: path === undefined ? '/etc/hosts' : filePath(path.text, context),
    zones: zonesOrDefault(zones, context.zones),
    inline,
    fallthrough: [],
    ttlSeconds: 3600,
    reloadMs: 5_000,
    hasReverse: true,
  }
  const set = (part: Partial<HostsSettings>): void => {
    settings = { ...settings, ...part }
  }
  const isOption = (line: Entry): boolean => options.includes(line.words[0].text)
  decodeOptions(
    { ...entry, body: entry.body?.filter(isOption) },
    {
      fallthrough: (option) => set({ fallthrough: decodeFallthrough(option) }),
      no_reverse: (option) => set({ hasReverse: !isBare(option) }),
      ttl: (option) => set({ ttlSeconds: decodeInteger(argumentOf(option), 1, 65_535) }),
      reload: (option) => set({ reloadMs: decodeDuration(argumentOf(option)) }),
    },
  )
  for (const line of entry.body ?? []) {
    if (isOption(line)) continue
    const [head] = line.words
    if (!/^[0-9a-fA-F.:%]+/.test(head.text)) refuseUnknown(head, 'option of "hosts"', options)
    inline.push(line.words.map((word) => word.text).join(' '))
  }
  return settings
}
