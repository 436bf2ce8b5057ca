import { parseAddress } from '../net/address.ts'
import type { FieldReader, JsonObject } from './json-fields.ts'

/** Decodes a list of addresses to canonical texts; a bad one is a fault. */
export function decodeAddresses(
  reader: FieldReader,
  parent: JsonObject,
  name: string,
  maxCount: number,
): readonly string[] {
  const list = reader.list(parent, name, maxCount)
  if (list.length === 0) return list as readonly never[]
  const addresses: string[] = []
  reader.enter(name)
  for (let index = 0; index < list.length; index++) {
    const address = decodeAddress(reader, index, list[index])
    if (address !== undefined) addresses.push(address)
  }
  reader.leave()
  return addresses
}

/** One address, canonical, or a fault of member `name`. */
export function decodeAddress(
  reader: FieldReader,
  name: string | number,
  value: unknown,
): string | undefined {
  const address = typeof value === 'string' ? parseAddress(value) : undefined
  if (address !== undefined) return address.text
  reader.fault(name, value, 'an IPv4 or IPv6 address')
  return undefined
}
