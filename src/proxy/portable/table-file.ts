import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseAddress } from '../../net/address.ts'
import { DecodeError, type Fault } from '../../net/decode-error.ts'
import type { PlacedPort, PlaceTable } from './place-table.ts'

/** Writes the table, all at once: who reads the file sees the old one or the new one. Throws when the file
 *  cannot be written. */
export function writeTableFile(file: string, ports: readonly PlacedPort[]): void {
  const table: PlaceTable = { kind, pid: process.pid, ports }
  const draft = `${file}.${process.pid}.new`
  writeFileSync(draft, `${JSON.stringify(table, undefined, 2)}\n`)
  renameSync(draft, file)
}

/** Removes the table of a proxy that ends, unless another one has written its own since. */
export function removeTableFile(file: string): void {
  try {
    if (readTableFile(file).pid === process.pid) rmSync(file)
  } catch {
    // It is gone already, or not ours.
  }
}

/** Reads a table. Throws what the system says when it cannot be read, DecodeError when it is not one. */
export function readTableFile(file: string): PlaceTable {
  return decodeTable(readFileSync(file, 'utf8'), file)
}

/** Decodes the text of a table; `source` names it. Throws DecodeError with all faults. */
export function decodeTable(text: string, source: string): PlaceTable {
  const faults: Fault[] = []
  const table = parse(text, source)
  if (table.kind !== kind) {
    faults.push({ path: ['kind'], value: table.kind, expected: `"${kind}"` })
  }
  if (typeof table.pid !== 'number') {
    faults.push({ path: ['pid'], value: table.pid, expected: 'the number of a process' })
  }
  const rows = Array.isArray(table.ports) ? table.ports : []
  if (!Array.isArray(table.ports)) {
    faults.push({ path: ['ports'], value: table.ports, expected: 'a list' })
  }
  const ports = rows.map((row: unknown, index) => decodePort(row, ['ports', index], faults))
  if (faults.length > 0) throw new DecodeError(source, faults)
  return { kind, pid: Number(table.pid), ports: ports.filter((port) => port !== undefined) }
}

const kind = 'PortolanPortableTable'

type Fields = Readonly<Record<string, unknown>>

function parse(text: string, source: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (isFields(value)) return value
  } catch {
    // Said below.
  }
  throw new DecodeError(source, [{ path: [], value: text, expected: 'a JSON object' }])
}

function decodePort(row: unknown, path: Fault['path'], faults: Fault[]): PlacedPort | undefined {
  const before = faults.length
  const fields = isFields(row) ? row : {}
  const take = <T>(name: string, isRight: (value: unknown) => value is T, expected: string) => {
    const value = fields[name]
    if (isRight(value)) return value
    faults.push({ path: [...path, name], value, expected })
    return undefined
  }
  const service = take('service', isText, 'namespace/name')
  const portName = take('portName', isText, 'a text')
  const protocol = take('protocol', isProtocol, 'TCP or UDP')
  const port = take('port', isPort, 'a port')
  const frontend = take('frontend', isText, 'address:port')
  const place = take('place', isPlace, 'an address and a port, or nothing')
  const failure = take('failure', isTextOrAbsent, 'a text, or nothing')
  const endpoints = take('endpoints', isCount, 'a count')
  if (faults.length > before) return undefined
  return { service, portName, protocol, port, frontend, place, failure, endpoints } as PlacedPort
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}

function isProtocol(value: unknown): value is 'TCP' | 'UDP' {
  return value === 'TCP' || value === 'UDP'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isPort(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 65_535
}

function isAddress(value: unknown): value is string {
  return isText(value) && parseAddress(value)?.text === value
}

function isPlace(value: unknown): value is PlacedPort['place'] {
  // A shell sources it: nothing but an address.
  return value === undefined || (isFields(value) && isAddress(value.address) && isPort(value.port))
}
