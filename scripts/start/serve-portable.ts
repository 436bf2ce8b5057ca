import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlacedPort } from '../../src/proxy/portable/place-table.ts'
import { readTableFile } from '../../src/proxy/portable/table-file.ts'
import { followTable, type Print, pause } from './follow-table.ts'
import { ended, startPortolan } from './portolan.ts'

/** A machine that has no table after this time will not have one. */
const startMs = 15_000

/** Serves a folder of manifests on loopback, as any user of any system, until the signal is aborted; leaves
 *  nothing behind. False when nothing was ever served, or the proxy ended by itself; it has said why. */
export async function servePortable(
  folder: string,
  print: Print,
  signal: AbortSignal,
): Promise<boolean> {
  // Not in the folder of manifests: it would be read as one.
  const home = mkdtempSync(join(tmpdir(), 'portolan-places-'))
  const file = join(home, 'table.json')
  const proxy = startPortolan([
    'proxy',
    ...['--proxy-mode', 'portable', '--portable-table', file],
    ...['--manifests', folder, '--log-level', 'warn'],
    // Ports of the node's own proxy, if it has one.
    ...['--healthz-bind-address', '', '--metrics-bind-address', ''],
  ])
  const exit = ended(proxy)
  const gone = new AbortController()
  void exit.then(() => gone.abort())
  const living = AbortSignal.any([signal, gone.signal])
  try {
    if (!(await isWritten(file, AbortSignal.any([living, AbortSignal.timeout(startMs)])))) {
      return false
    }
    const options = ['--portable-table', file]
    await followTable(folder, options, print, () => printLines(folder, file, print), living)
    return signal.aborted
  } finally {
    proxy.kill('SIGTERM')
    await exit
    rmSync(home, { recursive: true, force: true })
  }
}

/** Waits for the table; false when the signal came first. */
async function isWritten(file: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (existsSync(file)) return true
    await pause(50, signal)
  }
  return false
}

function printLines(folder: string, file: string, print: Print): void {
  const { ports } = readTableFile(file)
  print('\ntry in another terminal:')
  for (const { service, place, endpoints } of ports) {
    if (place === undefined) continue
    const name = service.replace(/^.*\//, '')
    print(`  curl http://${place.address}:${place.port}/    # ${name}${remarkOf(name, endpoints)}`)
  }
  print(`  eval "$(npm run -s portolan -- status --portable-table ${file} --env default)"`)
  print('  curl http://$WEB_SERVICE_HOST:$WEB_SERVICE_PORT/    # as in a pod')
  print(`  $EDITOR ${folder}/web-endpoints.yaml    # third server: ready: true; watch the table`)
  print(`  npm run -s portolan -- trace 10.1.2.3 10.96.0.10:80/tcp --manifests ${folder}`)
  print('Ctrl-C ends it and leaves nothing behind')
}

function remarkOf(name: string, endpoints: PlacedPort['endpoints']): string {
  if (endpoints === 0) return ': no endpoints, reset at once'
  return name === 'web-sticky' ? ': always the same one' : ''
}
