import { AttributeReader } from '../attribute-reader.ts'
import { decodeAttributes } from '../attributes.ts'
import { MessageReader } from '../message-reader.ts'
import { NetlinkSocket, netlinkProtocols } from '../socket.ts'
import { messages, messageWords, subsystem, tableFamily } from './messages.ts'
import { generationAttributes } from './object-tables.ts'
import type { TableFamily } from './objects.ts'

/** NFNLGRP_NFTABLES; linux/netfilter/nfnetlink.h */
const group = 7
const familyHeaderBytes = 4

/** One notification. */
export interface NftablesChange {
  /** `add element`, `delete table` and so on; `commit` after the objects of a commit; `overrun` when
   *  notifications were lost because too many waited: then read the rule set again. */
  readonly type: string
  readonly family: TableFamily | undefined
  /** Name of the table; undefined for commits and overruns. */
  readonly table: string | undefined
  /** The chain, of changes of chains and rules. */
  readonly chain?: string
  /** NftablesConnection.portId of the writer; 0 for overruns. */
  readonly portId: number
  /** Of commits: number of the new rule set, and the process that made it. */
  readonly generation?: number
  readonly processId?: number
  readonly processName?: string
}

/** Calls back on the event loop with every change of nf_tables in this network namespace, by whomever, until
 *  `signal` ends. Changes by the connection whose port id is `exceptPortId` are dropped in the kernel. Needs
 *  CAP_NET_ADMIN. */
export function watchNftables(
  onChange: (change: NftablesChange) => void,
  signal: AbortSignal,
  exceptPortId?: number,
): void {
  const socket = NetlinkSocket.open('nftables', netlinkProtocols.netfilter)
  try {
    if (exceptPortId !== undefined) socket.ignoreWriter(exceptPortId)
    socket.join(group)
  } catch (error) {
    socket.close()
    throw error
  }
  const onOverrun = () =>
    onChange({ type: 'overrun', family: undefined, table: undefined, portId: 0 })
  socket.listen((bytes) => announceChanges(bytes, onChange), onOverrun, signal)
}

/** Decodes the notifications in a datagram; other messages are passed over. Throws a DecodeError. */
export function announceChanges(
  bytes: Uint8Array,
  onChange: (change: NftablesChange) => void,
): void {
  const reader = new MessageReader(bytes)
  while (reader.next()) {
    if (reader.type >> 8 !== subsystem || reader.end - reader.start < familyHeaderBytes) continue
    onChange(decodeChange(reader, bytes))
  }
}

function decodeChange(reader: MessageReader, bytes: Uint8Array): NftablesChange {
  const start = reader.start + familyHeaderBytes
  const { portId } = reader
  const message = reader.type & 0xff
  const family = tableFamily(bytes[reader.start] ?? 0)
  if (message !== messages.newGeneration) {
    const name = (id: number) => nameOf(new AttributeReader(bytes, start, reader.end), id)
    const chain = chainAttribute[message] === undefined ? undefined : name(chainAttribute[message])
    return {
      type: messageWords(message).join(' ').trim(),
      family,
      // Attribute 1 of every object but a generation is the table's name.
      table: name(1),
      ...(chain === undefined ? {} : { chain }),
      portId,
    }
  }
  const found = decodeAttributes(generationAttributes, bytes, 'nf_tables commit', start, reader.end)
  return {
    type: 'commit',
    family: undefined,
    table: undefined,
    portId,
    ...(found.id === undefined ? {} : { generation: found.id }),
    ...(found.processId === undefined ? {} : { processId: found.processId }),
    ...(found.processName === undefined ? {} : { processName: found.processName }),
  }
}

/** NFTA_CHAIN_NAME, NFTA_RULE_CHAIN */
const chainAttribute: Readonly<Record<number, number>> = {
  [messages.newChain]: 3,
  [messages.deleteChain]: 3,
  [messages.newRule]: 2,
  [messages.deleteRule]: 2,
}

function nameOf(reader: AttributeReader, id: number): string | undefined {
  while (reader.next()) if (reader.id === id) return reader.string()
  return undefined
}
