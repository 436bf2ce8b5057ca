import { readdirSync, readlinkSync } from 'node:fs'

/** How many sockets, rings and the like this process has open; 0 where the system does not tell. Files are not
 *  counted: libuv opens one of its own with the first listener. */
export function openDescriptors(): number {
  if (process.platform !== 'linux') return 0
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return /^(socket|anon_inode):/.test(readlinkSync(`/proc/self/fd/${name}`))
    } catch {
      return false
    }
  }).length
}
