import type { ResourceRecord } from '../wire/message.ts'
import { type DnsName, isInZone, nameKey, parentName } from '../wire/name.ts'
import { recordTypes } from '../wire/numbers.ts'

/** A zone that is wholly known. */
export class Zone {
  /** In lower case. */
  readonly origin: DnsName
  readonly soa: ResourceRecord
  /** Name servers of the zone itself. */
  readonly ns: readonly ResourceRecord[]
  readonly #records: readonly ResourceRecord[]
  readonly #byName = new Map<DnsName, Map<number, ResourceRecord[]>>()
  /** Names that own nothing, but have names below them. */
  readonly #emptyNames = new Set<DnsName>()

  constructor(origin: DnsName, soa: ResourceRecord, records: readonly ResourceRecord[]) {
    this.origin = origin
    this.soa = soa
    this.#records = records.filter((record) => isInZone(record.name, origin))
    for (const record of this.#records) this.#add(record)
    this.ns = this.recordsOf(origin, recordTypes.NS)
  }

  /** Whether a name in lower case owns records. */
  has(name: DnsName): boolean {
    return this.#byName.has(name)
  }

  /** Whether a name owns nothing, but lies between the zone and names that do. */
  isEmptyName(name: DnsName): boolean {
    return this.#emptyNames.has(name)
  }

  /** Records of a name in lower case and a type. */
  recordsOf(name: DnsName, type: number): readonly ResourceRecord[] {
    return this.#byName.get(name)?.get(type) ?? []
  }

  /** All records, SOA first and last, as a transfer gives them. */
  *transfer(): Iterable<ResourceRecord> {
    yield this.soa
    for (const record of this.#records) {
      if (record.type !== recordTypes.SOA) yield record
    }
    yield this.soa
  }

  #add(record: ResourceRecord): void {
    const key = nameKey(record.name)
    let byType = this.#byName.get(key)
    if (byType === undefined) {
      byType = new Map()
      this.#byName.set(key, byType)
    }
    const records = byType.get(record.type)
    if (records === undefined) byType.set(record.type, [record])
    else records.push(record)
    for (let name = parentName(key); name !== '.' && isInZone(name, this.origin); ) {
      if (!this.#byName.has(name)) this.#emptyNames.add(name)
      name = parentName(name)
    }
  }
}

/** The zone of the records; undefined when they have no SOA at the origin. */
export function zoneOf(origin: DnsName, records: readonly ResourceRecord[]): Zone | undefined {
  const soa = records.find(
    (record) => record.type === recordTypes.SOA && nameKey(record.name) === origin,
  )
  return soa === undefined ? undefined : new Zone(origin, soa, records)
}
