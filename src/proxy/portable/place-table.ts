import { type ServicePort, servicePortKey } from './service-port.ts'

/** One service port and where it is served, for people and programs. */
export interface PlacedPort {
  /** `namespace/name`. */
  readonly service: string
  readonly portName: string
  readonly protocol: 'TCP' | 'UDP'
  /** The port of the service. */
  readonly port: number
  /** `10.96.0.10:80`: its address and port in the cluster. */
  readonly frontend: string
  /** Where this machine serves it; undefined: nowhere, and `failure` says why. */
  readonly place: { readonly address: string; readonly port: number } | undefined
  readonly failure: string | undefined
  /** Endpoints that new flows can get. 0: they are reset. */
  readonly endpoints: number
}

/** What a file with the table holds. */
export interface PlaceTable {
  readonly kind: 'PortolanPortableTable'
  /** Of the process that serves it. */
  readonly pid: number
  /** By service, then port. */
  readonly ports: readonly PlacedPort[]
}

/** The row of a port. */
export function placedPort(
  { service, portName, protocol, port, frontend, pool }: ServicePort,
  place: PlacedPort['place'],
  failure: string | undefined,
): PlacedPort {
  const endpoints = pool?.backends.length ?? 0
  return { service, portName, protocol, port, frontend, place, failure, endpoints }
}

/** Where ports are served, by `servicePortKey`. */
export function placesIn(
  ports: readonly PlacedPort[],
): ReadonlyMap<string, NonNullable<PlacedPort['place']>> {
  return new Map(
    ports.flatMap((port) =>
      port.place === undefined ? [] : [[servicePortKey(port), port.place] as const],
    ),
  )
}
