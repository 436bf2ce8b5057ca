import { DecodeError, type Fault } from '../net/decode-error.ts'
import type { AttributeRow, Attributes, Decoded, ScalarKind } from './attribute-kinds.ts'
import { AttributeReader } from './attribute-reader.ts'
import type { AttributeWriter } from './attribute-writer.ts'

/** Deeper nests than any table has: an input cannot exhaust the stack through a recursive table. */
const maximumDepth = 16

/** Writes the present members of `value` in the order of the table. */
export function encodeAttributes<A extends Attributes>(
  writer: AttributeWriter,
  table: A,
  value: Decoded<A>,
): void {
  const members: Readonly<Record<string, unknown>> = value
  for (const name in table) {
    const row = table[name]
    const member = members[name]
    if (row !== undefined && member !== undefined) encodeMember(writer, row, member)
  }
}

/** Reads the attributes that `table` knows from `bytes`; others are skipped, as newer kernels send more.
 *  Throws a DecodeError whose faults name `source`, the attribute, what was found and expected. */
export function decodeAttributes<A extends Attributes>(
  table: A,
  bytes: Uint8Array,
  source: string,
  start = 0,
  end = bytes.length,
): Decoded<A> {
  const faults: Fault[] = []
  const value = readAttributes(new AttributeReader(bytes, start, end), table, faults, [], 0)
  if (faults.length > 0) throw new DecodeError(source, faults)
  // The table says which members `value` has and of what type: its type is derived from the same rows.
  return value as Decoded<A>
}

function encodeMember(writer: AttributeWriter, row: AttributeRow, value: unknown): void {
  if (row.kind === 'nest') {
    const start = writer.nest(row.id)
    encodeAttributes(writer, row.nest, value as Decoded<Attributes>)
    writer.close(start)
  } else if (row.kind === 'list') {
    const start = writer.nest(row.id)
    for (const member of value as readonly Decoded<Attributes>[]) {
      const inner = writer.nest(row.element)
      encodeAttributes(writer, row.nest, member)
      writer.close(inner)
    }
    writer.close(start)
  } else encodeScalar(writer, row.id, row.kind, value)
}

/** The value has the type of the kind: `Decoded` made the caller say so. */
function encodeScalar(writer: AttributeWriter, id: number, kind: ScalarKind, value: unknown): void {
  if (kind === 'bytes') writer.bytes(id, value as Uint8Array)
  else if (kind === 'string') writer.string(id, value as string)
  else if (kind === 'flag') writer.flag(id)
  else if (kind === 'u64be' || kind === 'u64host') writer[kind](id, value as bigint)
  else writer[kind](id, value as number)
}

type Path = readonly (string | number)[]

function readAttributes(
  reader: AttributeReader,
  table: Attributes,
  faults: Fault[],
  path: Path,
  depth: number,
): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  const names = namesById(table)
  while (reader.next()) {
    const name = names[reader.id]
    const row = name === undefined ? undefined : table[name]
    if (name === undefined || row === undefined) continue
    const member = readMember(reader, row, faults, [...path, name], depth)
    if (member !== undefined) value[name] = member
  }
  reportStructure(reader, faults, path)
  return value
}

/** A broken length inside an attribute does not hide what stands beside it: the fault is taken over and
 *  the cursor goes on behind the enclosing attribute. */
function reportStructure(reader: AttributeReader, faults: Fault[], path: Path): void {
  if (reader.fault === undefined) return
  faults.push({ path, value: reader.fault, expected: 'whole attributes' })
  reader.fault = undefined
}

function readMember(
  reader: AttributeReader,
  row: AttributeRow,
  faults: Fault[],
  path: Path,
  depth: number,
): unknown {
  if (row.kind !== 'nest' && row.kind !== 'list') return readScalar(reader, row.kind, faults, path)
  if (depth >= maximumDepth) {
    faults.push({ path, value: 'a deeper nest', expected: `at most ${maximumDepth} levels` })
    return undefined
  }
  reader.enter()
  const value =
    row.kind === 'nest'
      ? readAttributes(reader, row.nest, faults, path, depth + 1)
      : readList(reader, row, faults, path, depth + 1)
  reader.leave()
  return value
}

function readList(
  reader: AttributeReader,
  row: AttributeRow & { readonly kind: 'list' },
  faults: Fault[],
  path: Path,
  depth: number,
): Record<string, unknown>[] {
  const list: Record<string, unknown>[] = []
  while (reader.next()) {
    if (reader.id !== row.element) continue
    reader.enter()
    list.push(readAttributes(reader, row.nest, faults, [...path, list.length], depth))
    reader.leave()
  }
  reportStructure(reader, faults, path)
  return list
}

function readScalar(
  reader: AttributeReader,
  kind: ScalarKind,
  faults: Fault[],
  path: Path,
): unknown {
  if (kind === 'bytes') return reader.copy()
  if (kind === 'string') {
    const text = reader.string()
    if (text === undefined) {
      faults.push({ path, value: reader.byteString(), expected: 'text without NUL inside' })
    }
    return text
  }
  const size = scalarBytes[kind]
  if (reader.length !== size) {
    faults.push({ path, value: `${reader.length} bytes`, expected: `${size} bytes (${kind})` })
    return undefined
  }
  return kind === 'flag' ? true : reader[kind]()
}

const scalarBytes: Readonly<Record<Exclude<ScalarKind, 'bytes' | 'string'>, number>> = {
  flag: 0,
  u8: 1,
  u16be: 2,
  u16host: 2,
  u32be: 4,
  s32be: 4,
  u32host: 4,
  u64be: 8,
  u64host: 8,
}

const cachedNames = new WeakMap<Attributes, readonly (string | undefined)[]>()

/** Attribute names by id; made once per table. */
function namesById(table: Attributes): readonly (string | undefined)[] {
  const cached = cachedNames.get(table)
  if (cached !== undefined) return cached
  const names: (string | undefined)[] = []
  for (const [name, row] of Object.entries(table)) names[row.id] = name
  cachedNames.set(table, names)
  return names
}
