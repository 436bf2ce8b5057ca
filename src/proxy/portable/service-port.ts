import type { Frontend, Pool, ServicePlan } from '../plan/plan.ts'
import { formatBackend } from '../port/verdict.ts'

/** One port of a service, as clients of this machine know it. */
export interface ServicePort {
  /** `namespace/name:portName/TCP`: unique among all, stable over restarts. */
  readonly key: string
  readonly service: string
  readonly portName: string
  readonly protocol: 'TCP' | 'UDP'
  /** The port of the service, which the place has too where that can be. */
  readonly port: number
  /** `10.96.0.10:80`: its address and port in the cluster. */
  readonly frontend: string
  /** Undefined: it has no endpoints for processes of this machine. */
  readonly pool: Pool | undefined
  /** UDP: flows to these addresses go on (`Frontend.servingAddresses`). */
  readonly servingAddresses: readonly string[]
}

/** See `ServicePort.key`. */
export function servicePortKey({
  service,
  portName,
  protocol,
}: Pick<Frontend, 'service' | 'portName' | 'protocol'>): string {
  return `${service}:${portName}/${protocol}`
}

/** The ports of a service that can be relayed, in the plan's order. A port that has both families is served
 *  once: by the first family that has endpoints. */
export function servicePorts({ frontends }: ServicePlan): readonly ServicePort[] {
  const ports = new Map<string, ServicePort>()
  for (const frontend of frontends) {
    const port = servicePort(frontend)
    if (port === undefined) continue
    const known = ports.get(port.key)
    if (known === undefined || (known.pool === undefined && port.pool !== undefined)) {
      ports.set(port.key, port)
    }
  }
  return [...ports.values()]
}

function servicePort(frontend: Frontend): ServicePort | undefined {
  const { service, portName, protocol, address, port, actions, servingAddresses = [] } = frontend
  if (frontend.kind !== 'cluster-ip' || address === undefined || protocol === 'SCTP') {
    return undefined
  }
  return {
    key: servicePortKey(frontend),
    service,
    portName,
    protocol,
    port,
    frontend: formatBackend(address, port),
    pool: actions.node.kind === 'balance' ? actions.node.pool : undefined,
    servingAddresses,
  }
}
