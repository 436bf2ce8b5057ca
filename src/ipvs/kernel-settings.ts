import { readFileSync, writeFileSync } from 'node:fs'

/** A value under /proc/sys that IPVS needs, and what for. */
interface KernelSetting {
  readonly path: string
  readonly value: string
  readonly why: string
}

const always: readonly KernelSetting[] = [
  { path: 'net/ipv4/vs/conntrack', value: '1', why: 'connections of services are masqueraded' },
  {
    path: 'net/ipv4/vs/expire_nodest_conn',
    value: '1',
    why: 'flows of an endpoint that is gone go to another one',
  },
  {
    path: 'net/ipv4/vs/expire_quiescent_template',
    value: '1',
    why: 'clients of an endpoint that drains go to another one',
  },
  { path: 'net/ipv4/ip_forward', value: '1', why: 'packets are sent on to endpoints' },
]

const strictArp: readonly KernelSetting[] = [
  { path: 'net/ipv4/conf/all/arp_ignore', value: '1', why: 'strictARP' },
  { path: 'net/ipv4/conf/all/arp_announce', value: '2', why: 'strictARP' },
]

/** Sets the kernel's values that differ; returns how many. Throws with path, value and purpose when one
 *  cannot be set. */
export function applyKernelSettings(isArpStrict: boolean, folder = '/proc/sys'): number {
  const settings = isArpStrict ? [...always, ...strictArp] : always
  let written = 0
  for (const { path, value, why } of settings) {
    const file = `${folder}/${path}`
    try {
      if (readFileSync(file, 'utf8').trim() === value) continue
      writeFileSync(file, value)
      written++
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
      throw new Error(`ipvs: set ${file} to ${value} (${why}): ${reason}; set it by other means`, {
        cause,
      })
    }
  }
  return written
}
