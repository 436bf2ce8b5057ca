import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** The process ids of running kube-proxies, as far as this process sees others: from within a container
 *  only with the process namespace of the node. `folder` is where proc is mounted. */
export function findKubeProxy(folder = '/proc'): readonly number[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9]+$/.test(name) && programOf(`${folder}/${name}`) === 'kube-proxy')
    .map(Number)
}

/** The name of the program that a process runs; empty for threads of the kernel and for processes that
 *  have ended meanwhile. */
function programOf(folder: string): string {
  try {
    const [command = ''] = readFileSync(`${folder}/cmdline`, 'utf8').split('\0')
    return basename(command)
  } catch {
    return ''
  }
}
