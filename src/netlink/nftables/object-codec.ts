import type { AttributeWriter } from '../attribute-writer.ts'
import { decodeAttributes, encodeAttributes } from '../attributes.ts'
import { verdictType } from './data-types.ts'
import { chainAttributes, setAttributes, setFlags, tableAttributes } from './object-tables.ts'
import type { Chain, Hook, SetDefinition, Table, TableFamily } from './objects.ts'
import { commentTypes, decodeComment, encodeComment } from './user-data.ts'

/** enum nf_inet_hooks, by number; linux/netfilter.h */
const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const
const chainTypes = ['nat', 'filter', 'route'] as const
const accept = 1
/** A counter's attributes may all be absent: it starts at zero. */
const emptyCounter = new Uint8Array(0)
/** NFT_TABLE_F_OWNER */
const tableOwner = 2

/** Writes the attributes of NFT_MSG_NEWTABLE. */
export function encodeTable(writer: AttributeWriter, table: Table): void {
  encodeAttributes(writer, tableAttributes, {
    name: table.name,
    flags: table.endsWithSocket === true ? tableOwner : 0,
    ...userData(commentTypes.table, table.comment),
  })
}

/** Decodes a dumped table. Throws a DecodeError. */
export function decodeTable(
  family: TableFamily,
  bytes: Uint8Array,
  start: number,
  end: number,
): Table {
  const table = decodeAttributes(tableAttributes, bytes, 'nf_tables table', start, end)
  return { family, name: table.name ?? '', ...comment(commentTypes.table, table.userData) }
}

/** Writes the attributes of NFT_MSG_NEWCHAIN. Base chains accept what no rule decides. */
export function encodeChain(writer: AttributeWriter, table: string, chain: Chain): void {
  const { hook } = chain
  encodeAttributes(writer, chainAttributes, {
    table,
    name: chain.name,
    ...(hook === undefined
      ? {}
      : {
          hook: { number: hooks.indexOf(hook.hook), priority: hook.priority },
          policy: accept,
          type: hook.type,
        }),
    ...userData(commentTypes.chain, chain.comment),
  })
}

/** Decodes a dumped chain and the name of its table. A base chain of a kind that we never make (other hook,
 *  other type) keeps the name and loses the hook. Throws a DecodeError. */
export function decodeChain(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: string; readonly chain: Chain } {
  const chain = decodeAttributes(chainAttributes, bytes, 'nf_tables chain', start, end)
  const hook = decodeHook(chain.hook?.number, chain.hook?.priority, chain.type)
  return {
    table: chain.table ?? '',
    chain: {
      name: chain.name ?? '',
      ...(hook === undefined ? {} : { hook }),
      ...comment(commentTypes.chain, chain.userData),
    },
  }
}

function decodeHook(
  number: number | undefined,
  priority: number | undefined,
  typeName: string | undefined,
): Hook | undefined {
  const hook = number === undefined ? undefined : hooks[number]
  const type = chainTypes.find((candidate) => candidate === typeName)
  if (hook === undefined || type === undefined || priority === undefined) return undefined
  return { type, hook, priority }
}

/** Writes the attributes of NFT_MSG_NEWSET. `id` is unique in the batch. */
export function encodeSet(
  writer: AttributeWriter,
  table: string,
  set: SetDefinition,
  id: number,
): void {
  const isConcatenated = set.fieldBytes.length > 1
  encodeAttributes(writer, setAttributes, {
    table,
    name: set.name,
    flags: flagsOf(set),
    keyType: set.keyType,
    keyBytes: set.keyBytes,
    ...dataOf(set),
    description: {
      ...(set.maxElements === undefined ? {} : { size: set.maxElements }),
      ...(isConcatenated ? { fields: set.fieldBytes.map((bytes) => ({ bytes })) } : {}),
    },
    id,
    ...(set.isCounting === true ? { expression: { name: 'counter', data: emptyCounter } } : {}),
    ...(set.userData === undefined ? {} : { userData: set.userData }),
  })
}

/** Decodes a dumped set and the name of its table. Throws a DecodeError. */
export function decodeSet(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: string; readonly set: SetDefinition } {
  const set = decodeAttributes(setAttributes, bytes, 'nf_tables set', start, end)
  const flags = set.flags ?? 0
  const fields = set.description?.fields ?? []
  const keyBytes = set.keyBytes ?? 0
  const size = set.description?.size
  const { dataType, dataBytes } = set
  return {
    table: set.table ?? '',
    set: {
      name: set.name ?? '',
      keyType: set.keyType ?? 0,
      keyBytes,
      fieldBytes: fields.length > 1 ? fields.map((field) => field.bytes ?? 0) : [keyBytes],
      ...((flags & setFlags.map) === 0
        ? {}
        : dataType === verdictType
          ? { data: 'verdict' as const }
          : { data: { type: dataType ?? 0, bytes: dataBytes ?? 0 } }),
      isInterval: (flags & setFlags.interval) !== 0,
      isDynamic: (flags & setFlags.eval) !== 0,
      ...(size === undefined || size === 0 ? {} : { maxElements: size }),
      ...(set.userData === undefined ? {} : { userData: set.userData }),
    },
  }
}

function flagsOf(set: SetDefinition): number {
  return (
    (set.isInterval ? setFlags.interval : 0) |
    (set.data === undefined ? 0 : setFlags.map) |
    (set.isDynamic ? setFlags.timeout | setFlags.eval : 0) |
    (set.fieldBytes.length > 1 ? setFlags.concat : 0)
  )
}

function dataOf(set: SetDefinition): { dataType?: number; dataBytes?: number } {
  if (set.data === undefined) return {}
  if (set.data === 'verdict') return { dataType: verdictType }
  return { dataType: set.data.type, dataBytes: set.data.bytes }
}

function userData(type: number, text: string | undefined): { userData?: Uint8Array } {
  return text === undefined ? {} : { userData: encodeComment(type, text) }
}

function comment(type: number, bytes: Uint8Array | undefined): { comment?: string } {
  const text = decodeComment(type, bytes)
  return text === undefined ? {} : { comment: text }
}
