import { protocols } from '../../net/protocol.ts'
import { checkKind, decodeMeta, objectTitle } from '../decode-meta.ts'
import { decodePodIps } from '../decode-pod.ts'
import type { DecodePool } from '../decode-pool.ts'
import { asJsonObject, FieldReader, type JsonObject } from '../json-fields.ts'
import type { EndpointPort, Pod } from '../resources.ts'

/** core/v1 Pod, the part from which endpoints are made. */
export interface ManifestPod extends Pod {
  readonly nodeName: string
  readonly hostname: string
  readonly isReady: boolean
  /** Named ports of all containers. */
  readonly ports: readonly EndpointPort[]
}

/** Decodes a core/v1 Pod with what its endpoints need. A pod without any condition counts as ready, because nobody writes status
 *  by hand beyond an address. Throws a DecodeError with all faults. */
export function decodeManifestPod(value: unknown, pool: DecodePool): ManifestPod {
  const reader = new FieldReader()
  const object = asJsonObject(value) ?? {}
  checkKind(reader, object, 'Pod', 'v1')
  const meta = decodeMeta(reader, object, 'namespaced', pool)
  const metadata = reader.object(object, 'metadata')
  const spec = reader.object(object, 'spec')
  const status = reader.object(object, 'status')
  reader.enter('spec')
  const nodeName = reader.text(spec, 'nodeName', 253)
  const hostname = reader.text(spec, 'hostname', 253)
  const ports = reader
    .objects(spec, 'containers', maxItems, (container) =>
      reader.objects(container, 'ports', maxItems, (port) => decodeContainerPort(reader, port)),
    )
    .flat()
  reader.leave()
  reader.enter('status')
  const ips = decodePodIps(reader, status)
  const conditions = reader.objects(status, 'conditions', maxItems, (condition) => condition)
  reader.leave()
  reader.finish(objectTitle('Pod', value))
  return {
    kind: 'Pod',
    ...meta,
    ips,
    nodeName,
    hostname,
    isReady:
      conditions.length === 0 ||
      conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    isTerminating: typeof metadata.deletionTimestamp === 'string',
    ports,
  }
}

const maxItems = 1_000

function decodeContainerPort(reader: FieldReader, port: JsonObject): EndpointPort | undefined {
  const decoded = {
    name: reader.text(port, 'name', 63),
    protocol: reader.choice(port, 'protocol', protocols, 'TCP'),
    port: reader.integer(port, 'containerPort', { min: 1, max: 65_535 }, undefined),
  }
  return decoded.name === '' ? undefined : decoded
}
