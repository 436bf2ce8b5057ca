import type { NftablesConnection } from '../../../src/netlink/nftables/connection.ts'
import { concatenatedType, dataTypes } from '../../../src/netlink/nftables/data-types.ts'
import type { SetDefinition } from '../../../src/netlink/nftables/objects.ts'
import { typeofUserData } from '../../../src/netlink/nftables/typeof-user-data.ts'

const { ipv4Address, protocol, port, mark } = dataTypes

/** Frontends of a service proxy, as nft would declare them. */
export const services: SetDefinition = {
  name: 'services',
  keyType: concatenatedType([ipv4Address, protocol, port]),
  keyBytes: 12,
  fieldBytes: [4, 1, 2],
  data: { type: mark, bytes: 4 },
  isInterval: false,
  isDynamic: false,
  userData: typeofUserData(['ip daddr', 'meta l4proto', 'th dport'], ['meta mark'], 'frontends'),
}

/** Source ranges: a concatenation with intervals. */
export const ranges: SetDefinition = {
  name: 'ranges',
  keyType: concatenatedType([ipv4Address, ipv4Address]),
  keyBytes: 8,
  fieldBytes: [4, 4],
  isInterval: true,
  isDynamic: false,
  userData: typeofUserData(['ip daddr', 'ip saddr']),
}

/** A plain interval set. */
export const pods: SetDefinition = {
  name: 'pods',
  keyType: ipv4Address,
  keyBytes: 4,
  fieldBytes: [4],
  isInterval: true,
  isDynamic: false,
}

/** Pool numbers to chains. */
export const kinds: SetDefinition = {
  name: 'kinds',
  keyType: mark,
  keyBytes: 4,
  fieldBytes: [4],
  data: 'verdict',
  isInterval: false,
  isDynamic: false,
  userData: typeofUserData(['meta mark'], 'verdict'),
}

/** Written by packets. */
export const affinity: SetDefinition = {
  name: 'affinity',
  keyType: concatenatedType([mark, ipv4Address]),
  keyBytes: 8,
  fieldBytes: [4, 4],
  data: { type: mark, bytes: 4 },
  isInterval: false,
  isDynamic: true,
  maxElements: 1024,
  userData: typeofUserData(['meta mark', 'ip saddr'], ['meta mark']),
}

/** `10.96.0.<last> . tcp . 80` */
export function serviceKey(last: number): string {
  return String.fromCharCode(10, 96, 0, last, 6, 0, 0, 0, 0, 80, 0, 0)
}

/** Commits a table `portolan` with the sets above, two chains and one element of each kind. */
export function writeSampleTable(connection: NftablesConnection): void {
  const batch = connection.newBatch()
  const [family, table] = ['ip', 'portolan'] as const
  batch.destroyTable(family, table)
  batch.addTable({ family, name: table, comment: 'ours' })
  batch.addChain(family, table, {
    name: 'prerouting',
    hook: { type: 'nat', hook: 'prerouting', priority: -100 },
    comment: 'received flows',
  })
  batch.addChain(family, table, { name: 'refuse' })
  for (const set of [services, ranges, pods, kinds, affinity]) batch.addSet(family, table, set)
  batch.addElement(family, table, services, serviceKey(10), '\x07\0\0\0', 'default/web:http')
  batch.addSetElement(family, table, ranges, {
    key: '\x0a\x60\0\x0a\xc0\xa8\0\0',
    keyEnd: '\x0a\x60\0\x0a\xc0\xa8\0\xff',
  })
  batch.addSetElement(family, table, pods, { key: '\x0a\xf4\0\0' })
  batch.addSetElement(family, table, pods, { key: '\x0a\xf4\x01\0', isIntervalEnd: true })
  batch.addSetElement(family, table, kinds, {
    key: '\x01\0\0\0',
    verdict: { code: -4, chain: 'refuse' },
    comment: 'no endpoint',
  })
  batch.addSetElement(family, table, affinity, {
    key: '\x01\0\0\0\x0a\x01\0\x02',
    value: '\x02\0\0\0',
    timeoutMs: 10_800_000,
  })
  batch.addRule(family, table, {
    chain: 'refuse',
    expressions: [
      { name: 'counter', data: {} },
      { name: 'reject', data: { type: 0, icmpCode: 3 } },
    ],
    comment: 'nobody is there',
  })
  connection.commit(batch)
}
