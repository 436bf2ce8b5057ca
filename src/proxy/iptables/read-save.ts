import { DecodeError } from '../../net/decode-error.ts'
import { isOwnChain } from './chain-names.ts'
import type { TableName } from './rule.ts'

/** Our chains and the built-in ones as iptables-save printed them: rules without `-A CHAIN`. */
export type KernelTables = Readonly<Record<TableName, KernelChains>>

/** Rules by chain. */
export type KernelChains = ReadonlyMap<string, readonly string[]>

/** Reads the text of iptables-save. Other tables and other programs' chains are passed over. Throws a
 *  DecodeError when a table of ours is there but cannot be printed, or a line is not understood. */
export function readSave(text: string, source: string): KernelTables {
  const tables = { filter: new Map<string, string[]>(), nat: new Map<string, string[]>() }
  let chains: Map<string, string[]> | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const first = line[0]
    if (first === '*')
      chains = isTable(line.slice(1)) ? tables[line.slice(1) as TableName] : undefined
    else if (first === '#') refuseIncompatible(line, source)
    else if (chains === undefined || first === undefined || line === 'COMMIT') continue
    else if (first === ':') declare(line, chains)
    else if (line.startsWith('-A ')) append(line, chains)
    else fail(source, index + 1, line, '*TABLE, :CHAIN, -A or COMMIT')
  }
  return tables
}

function isTable(name: string): name is TableName {
  return name === 'filter' || name === 'nat'
}

function declare(line: string, chains: Map<string, string[]>): void {
  const end = line.indexOf(' ')
  const name = line.slice(1, end)
  const isBuiltIn = line[end + 1] !== '-'
  if (isBuiltIn || isOwnChain(name)) chains.set(name, [])
}

function append(line: string, chains: Map<string, string[]>): void {
  const end = line.indexOf(' ', 3)
  if (end > 0) chains.get(line.slice(3, end))?.push(line.slice(end + 1).trimEnd())
}

/** Somebody has put rules into the table that only nft can print: what is ours there is not to be seen. */
function refuseIncompatible(line: string, source: string): void {
  const [, table = ''] = /^# Table `(.+)' is incompatible/.exec(line) ?? []
  if (!isTable(table)) return
  throw new DecodeError(source, [
    {
      path: [table],
      value: line,
      expected:
        'only rules that iptables can print; remove those that nft has added, or use --proxy-mode nftables',
    },
  ])
}

function fail(source: string, lineNumber: number, value: string, expected: string): never {
  throw new DecodeError(`${source}:${lineNumber}`, [{ path: ['line'], value, expected }])
}
