import type { Clock } from '../../kube/clock.ts'
import type { DnsName } from '../wire/name.ts'
import { searchDomains } from './resolv-conf.ts'
import { readTextFile, type WatchedFile, watchFile } from './watched-file.ts'

/** The search domains of a file like resolv.conf as they are now: the file is looked at again and again until
 *  the signal is aborted. One that cannot be read has none. */
export function followedSearch(
  file: WatchedFile,
  clock: Clock,
  signal: AbortSignal,
): () => readonly DnsName[] {
  let domains = searchDomains(readTextFile(file.path) ?? '')
  void watchFile(file, clock, signal, (text) => {
    domains = searchDomains(text)
  })
  return () => domains
}
