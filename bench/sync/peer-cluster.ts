import type { ApiWriter } from '../support/api-writer.ts'
import {
  addressesOf,
  type ClusterSize,
  generatedNamespace,
  serviceJson,
  sliceJson,
} from '../support/generate-cluster.ts'

/** Requests under way at once. */
const width = 16

const servicesPath = `/api/v1/namespaces/${generatedNamespace}/services`
const slicesPath = `/apis/discovery.k8s.io/v1/namespaces/${generatedNamespace}/endpointslices`

/** Writes a generated cluster into the API server, in a namespace of its own. The server gives the
 *  cluster addresses. Rejects with the server's words when it refuses an object. */
export async function createCluster(writer: ApiWriter, size: ClusterSize): Promise<void> {
  const metadata = { name: generatedNamespace }
  await expect(writer, 'POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
  })
  await inParallel(size.services, async (index) => {
    await expect(writer, 'POST', servicesPath, withoutAddress(serviceJson(index, size.protocol)))
    const slice = sliceJson(index, addressesOf(index, size.endpoints), '1', size.protocol)
    await expect(writer, 'POST', slicesPath, withoutVersion(slice))
  })
}

/** Replaces an endpoint slice; resolves when the server has answered. */
export async function putSlice(
  writer: ApiWriter,
  slice: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { name } = slice.metadata as { name: string }
  await expect(writer, 'PUT', `${slicesPath}/${name}`, withoutVersion(slice))
}

/** Removes what `createCluster` wrote. Objects that are not there are no fault. */
export async function removeCluster(writer: ApiWriter, services: number): Promise<void> {
  await inParallel(services, async (index) => {
    await writer.send('DELETE', `${servicesPath}/service-${index}`, {})
    await writer.send('DELETE', `${slicesPath}/service-${index}-1`, {})
  })
  await writer.send('DELETE', `/api/v1/namespaces/${generatedNamespace}`, {})
}

async function expect(
  writer: ApiWriter,
  method: 'POST' | 'PUT',
  path: string,
  object: unknown,
): Promise<void> {
  const { status, text } = await writer.send(method, path, object)
  // 409: left over from an earlier run, which is as good.
  if (status < 300 || (method === 'POST' && status === 409)) return
  throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
}

async function inParallel(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

function withoutVersion(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { resourceVersion: _, ...metadata } = object.metadata as Record<string, unknown>
  return { ...object, metadata }
}

function withoutAddress(service: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { clusterIP: _, clusterIPs: __, ...spec } = service.spec as Record<string, unknown>
  return { ...withoutVersion(service), spec }
}
