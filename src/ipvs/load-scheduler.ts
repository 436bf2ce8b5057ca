import { spawnSync } from 'node:child_process'

/** Schedulers whose modules keep state for each network namespace. */
const withNamespaceState: readonly string[] = ['lblc', 'lblcr']

/** modprobe reads a few files. */
const timeoutMs = 10_000

/** Loads the module of a scheduler that the kernel must not load by itself. It would do so when the first virtual
 *  server asks for it, with generic netlink locked; such a module then waits for namespaces that are going
 *  away, and these for generic netlink: both wait for ever (seen with Linux 6.1). The others need no
 *  help. Does nothing where modprobe is missing or refuses; a scheduler that is not there is named by the
 *  request that wants it. */
export function loadScheduler(scheduler: string): void {
  if (!withNamespaceState.includes(scheduler)) return
  spawnSync('modprobe', ['-q', `ip_vs_${scheduler}`], { stdio: 'ignore', timeout: timeoutMs })
}
