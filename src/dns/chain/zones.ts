import { type DnsName, isInZone } from '../wire/name.ts'

/** The longest of the zones that a name lies in; undefined when it lies in none. */
export function longestZone(zones: readonly DnsName[], name: DnsName): DnsName | undefined {
  let longest: DnsName | undefined
  for (const zone of zones) {
    if (zone.length > (longest?.length ?? 0) && isInZone(name, zone)) longest = zone
  }
  return longest
}

/** Whether a name lies in one of the zones. */
export function isInZones(zones: readonly DnsName[], name: DnsName): boolean {
  return zones.some((zone) => isInZone(name, zone))
}
