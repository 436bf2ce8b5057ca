/** A range from which something is given out: `at` names its members, 0 <= index < count. */
export interface ResourceRange {
  readonly count: number
  readonly at: (index: number) => string
}

/** 10.96.0.0/16 (kubeadm's default service range) without its first and last address. */
export const clusterIpRange: ResourceRange = {
  count: 65_534,
  at: (index) => `10.96.${(index + 1) >> 8}.${(index + 1) & 0xff}`,
}

/** 30000-32767, the API server's default. */
export const nodePortRange: ResourceRange = { count: 2_768, at: (index) => String(30_000 + index) }

/** What a service of a manifest gets for what it leaves open, chosen by a hash of its name, so that
 *  it is the same on every start and every node. When it is taken, the next free one follows.
 *  Undefined when all are taken. */
export function allocateResource(
  name: string,
  range: ResourceRange,
  isTaken: (resource: string) => boolean,
): string | undefined {
  const first = fnv1a(name) % range.count
  for (let step = 0; step < range.count; step++) {
    const resource = range.at((first + step) % range.count)
    if (!isTaken(resource)) return resource
  }
  return undefined
}

/** FNV-1a, 32 bits; http://www.isthe.com/chongo/tech/comp/fnv/. */
function fnv1a(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
