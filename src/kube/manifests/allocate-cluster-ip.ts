/** The address that a manifest service without clusterIP gets: 10.96.0.0/16 (kubeadm's default service
 *  range), chosen by a hash of `namespace/name`, so that it is the same on every start and every node.
 *  When it is taken, the next free one follows. Undefined when all 65,534 are taken. */
export function allocateClusterIp(
  key: string,
  isTaken: (address: string) => boolean,
): string | undefined {
  const first = fnv1a(key) % hostCount
  for (let step = 0; step < hostCount; step++) {
    const host = ((first + step) % hostCount) + 1
    const address = `10.96.${host >> 8}.${host & 0xff}`
    if (!isTaken(address)) return address
  }
  return undefined
}

/** The network's first and last address are left out. */
const hostCount = 65_534

/** FNV-1a, 32 bits; http://www.isthe.com/chongo/tech/comp/fnv/. */
function fnv1a(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
