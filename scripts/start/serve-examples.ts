import process from 'node:process'
import { followTable, type Print, pause } from './follow-table.ts'
import { anyNodeAddress, isPortFree, sourceAddressTowards } from './node-address.ts'
import { ended, runPortolan, startPortolan } from './portolan.ts'
import { servePortable } from './serve-portable.ts'
import { startWebBackends } from './web-backends.ts'
import { makeWorkingCopy } from './working-copy.ts'

/** Cluster addresses of examples/web.yaml. */
const webAddress = '10.96.0.10'
const stickyAddress = '10.96.0.12'
const emptyAddress = '10.96.0.13'
const nodePort = 30_080

/** The proxy's own ports; a proxy that already serves this node holds them. */
const healthPort = 10_256
const metricsPort = 10_249

/** A kernel that does not have the rules after this time will not have them. */
const programMs = 15_000

/** Serves the manifests under `examples` with web servers of its own until the signal is aborted, then
 *  removes everything: table, servers, working copy. In the kernel when that is possible, else on loopback
 *  (portable mode); says why. Gives the exit code. */
export async function serveExamples(
  examples: string,
  print: Print,
  signal: AbortSignal,
): Promise<number> {
  const routed = await sourceAddressTowards(webAddress)
  const address = routed ?? anyNodeAddress()
  const backends = await startWebBackends(address, ['first', 'second', 'third'])
  const ports = backends.map(({ port }) => port)
  const copy = makeWorkingCopy(examples, address, ports)
  try {
    const hindrance = await findHindrance(routed)
    print(`web servers: ${ports.map((port) => `http://${address}:${port}/`).join(' ')}`)
    const isServed =
      hindrance === undefined && (await serveInKernel(copy.folder, address, print, signal))
    if (isServed || signal.aborted) return 0
    const reason = hindrance ?? 'the kernel cannot be programmed here, as said above'
    print(`on loopback (portable mode): ${reason}`)
    return (await servePortable(copy.folder, print, signal)) || signal.aborted ? 0 : 1
  } finally {
    for (const backend of backends) backend.close()
    copy.remove()
    print('removed: web servers, working copy')
  }
}

/** Why the kernel cannot be programmed here; undefined: it can. */
async function findHindrance(routed: string | undefined): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, nf_tables is Linux's`
  if (process.getuid?.() !== 0) {
    return 'not root; as root the same table is programmed into the kernel'
  }
  if (routed === undefined) {
    return `no route to ${webAddress}: this machine has no network but loopback`
  }
  for (const port of [healthPort, metricsPort]) {
    if (!(await isPortFree(port))) {
      return `port ${port} is taken: a service proxy seems to serve this node already, and is left alone`
    }
  }
  return undefined
}

/** Serves until the signal is aborted. False when the rules never came into the kernel, or the proxy
 *  ended by itself; it has said why. */
async function serveInKernel(
  folder: string,
  address: string,
  print: Print,
  signal: AbortSignal,
): Promise<boolean> {
  const proxy = startPortolan([
    'proxy',
    ...['--manifests', folder, '--log-level', 'warn'],
    ...['--healthz-bind-address', `127.0.0.1:${healthPort}`],
    // The kernel's settings for the whole machine are none of a demonstration's business.
    ...['--conntrack-max-per-core', '0', '--oom-score-adj', '0'],
    ...['--conntrack-tcp-timeout-established', '0s', '--conntrack-tcp-timeout-close-wait', '0s'],
  ])
  const exit = ended(proxy)
  const gone = new AbortController()
  void exit.then(() => gone.abort())
  const living = AbortSignal.any([signal, gone.signal])
  try {
    if (!(await isHealthy(AbortSignal.any([living, AbortSignal.timeout(programMs)])))) return false
    await followTable(folder, [], print, () => printLines(folder, address, print), living)
    return signal.aborted
  } finally {
    proxy.kill('SIGTERM')
    await exit
    const { code, output } = await runPortolan(['proxy', '--cleanup'])
    print(code === 0 ? 'removed: rules' : `rules could not be removed: ${output.trim()}`)
  }
}

/** Waits until the rules are in the kernel; false when the signal came first. */
async function isHealthy(signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const answer = await fetch(`http://127.0.0.1:${healthPort}/healthz`, { signal }).catch(() => {})
    if (answer?.ok === true) return true
    await pause(100, signal)
  }
  return false
}

function printLines(folder: string, address: string, print: Print): void {
  print('\ntry in another terminal:')
  print(`  curl http://${webAddress}/                    # again and again: first, second`)
  print(`  curl http://${stickyAddress}/                    # always the same one`)
  print(`  curl http://${emptyAddress}/                    # no endpoints: refused at once`)
  print(`  curl http://${address}:${nodePort}/`)
  print(`  $EDITOR ${folder}/web-endpoints.yaml    # third server: ready: true; watch the table`)
  print(`  npm run -s portolan -- trace ${address} ${webAddress}:80/tcp --manifests ${folder}`)
  print(`  curl -s http://127.0.0.1:${metricsPort}/metrics | grep kubeproxy_`)
  print('  nft list table ip portolan')
  print('Ctrl-C ends it and leaves nothing behind')
}
