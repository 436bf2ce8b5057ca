import type { TableFamily } from './objects.ts'

/** NFNL_SUBSYS_NFTABLES; linux/netfilter/nfnetlink.h */
export const subsystem = 10

/** NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END (no subsystem). */
export const batchMessages = { begin: 0x10, end: 0x11 } as const

/** enum nf_tables_msg_types */
export const messages = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  newGeneration: 15,
  getGeneration: 16,
} as const

/** nlmsg_type of a message of nf_tables. */
export function messageType(message: number): number {
  return (subsystem << 8) | message
}

/** NFPROTO_IPV4, NFPROTO_IPV6 of a table's family. */
export function protocolFamily(family: TableFamily): number {
  return family === 'ip' ? 2 : 10
}

/** The family of a table of ours; undefined for those that we never have (inet, arp, bridge, netdev). */
export function tableFamily(protocolFamily: number): TableFamily | undefined {
  return protocolFamily === 2 ? 'ip' : protocolFamily === 10 ? 'ip6' : undefined
}

/** Verb and object of a message in nft's words; `message 17` and nothing for those that we never use. */
export function messageWords(message: number): readonly [string, string] {
  return words[message] ?? [`message ${message}`, '']
}

const words: Readonly<Record<number, readonly [string, string]>> = {
  [messages.newTable]: ['add', 'table'],
  [messages.deleteTable]: ['delete', 'table'],
  [messages.newChain]: ['add', 'chain'],
  [messages.deleteChain]: ['delete', 'chain'],
  [messages.newRule]: ['add', 'rule'],
  [messages.deleteRule]: ['delete', 'rule'],
  [messages.newSet]: ['add', 'set'],
  [messages.deleteSet]: ['delete', 'set'],
  [messages.newElement]: ['add', 'element'],
  [messages.deleteElement]: ['delete', 'element'],
}
