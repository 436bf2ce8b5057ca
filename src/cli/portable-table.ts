import type { Frontend } from '../proxy/plan/plan.ts'
import { formatBackend } from '../proxy/port/verdict.ts'
import { type PlaceTable, placesIn } from '../proxy/portable/place-table.ts'
import { servicePortKey } from '../proxy/portable/service-port.ts'
import { readTableFile } from '../proxy/portable/table-file.ts'
import { failure } from './cli-error.ts'
import { formatTable } from './format-table.ts'
import type { CommandInput, CommandOption } from './subcommand.ts'

/** Names the file with the places of portable mode: the proxy writes it, others read it. */
export const portableTableOption: CommandOption = {
  name: 'portable-table',
  value: 'FILE',
  summary: 'portable mode: where each service port is served on this machine, as JSON',
}

/** For those who read it. */
export const portableTableOptions: readonly CommandOption[] = [
  portableTableOption,
  {
    name: 'env',
    value: 'NAMESPACE',
    summary: 'print the table as lines for a shell, as a pod of this namespace has them',
  },
]

/** The table that the option names; undefined without it. Throws a failure that says what is wrong with the
 *  file. */
export function readPortableTable({ texts }: CommandInput): PlaceTable | undefined {
  const file = texts['portable-table']
  if (file === undefined) return undefined
  try {
    return readTableFile(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT') throw error
    const what = `--portable-table ${file}: there is no such file`
    throw failure(`${what}; a running portolan proxy --proxy-mode portable writes it`, error)
  }
}

/** Where frontends are served, by a table. */
export function placesOf({ ports }: PlaceTable): (frontend: Frontend) => string | undefined {
  const places = placesIn(ports)
  return (frontend) => {
    const place = frontend.kind === 'cluster-ip' ? places.get(servicePortKey(frontend)) : undefined
    return place && formatBackend(place.address, place.port)
  }
}

/** Whether a command line names a table and no cluster: then the table is all there is to show. */
export function showsTableOnly({ texts }: CommandInput): boolean {
  const sources = [texts.manifests, texts.kubeconfig, texts.config, texts.master]
  return texts['portable-table'] !== undefined && sources.every((source) => source === undefined)
}

/** The table for people. */
export function formatPlaceTable({ pid, ports }: PlaceTable): string {
  const rows = ports.map(({ service, portName, protocol, frontend, place, failure, endpoints }) => [
    service,
    portName,
    `${frontend}/${protocol}`,
    place === undefined ? 'nowhere' : formatBackend(place.address, place.port),
    failure ?? `${endpoints}`,
  ])
  const heads = ['service', 'port', 'frontend', 'on this machine', 'endpoints']
  const title = `portable mode, process ${pid}: ${ports.length} ports`
  return ports.length === 0 ? `${title}\n` : `${title}\n\n${formatTable(heads, rows)}`
}
