import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { findClusterAccess } from '../../src/kube/find-cluster-access.ts'
import { ApiWriter } from '../support/api-writer.ts'
import type { ClusterSize } from '../support/generate-cluster.ts'
import { createCluster, removeCluster } from './peer-cluster.ts'
import { relayPort } from './peer-messages.ts'

/** What a peer in another network namespace gets to the API server with. */
export interface PeerFiles {
  readonly kubeconfigFile: string
  /** Leads out of the namespace. */
  readonly socketFile: string
}

/** Puts a generated cluster into the API server of a kubeconfig, runs `body`, and removes it again. Rejects when the
 *  file names no cluster, or the server refuses an object. */
export async function withPeerCluster<T>(
  kubeconfig: string,
  size: ClusterSize,
  print: (line: string) => void,
  body: (files: PeerFiles, writer: ApiWriter) => Promise<T>,
): Promise<T> {
  const access = await findClusterAccess({ kubeconfig, environment: {} })
  if (access === undefined) throw new Error(`${kubeconfig}: names no cluster`)
  const folder = mkdtempSync(join(tmpdir(), 'portolan-peer-'))
  const files = { kubeconfigFile: join(folder, 'kubeconfig'), socketFile: join(folder, 'api') }
  const writer = new ApiWriter(access)
  const relay = startRelay(files.socketFile, new URL(access.server))
  try {
    print('writing the objects to the API server')
    await createCluster(writer, size)
    writeFileSync(files.kubeconfigFile, relayedKubeconfig(kubeconfig, access.server))
    return await body(files, writer)
  } finally {
    relay.close()
    await removeCluster(writer, size.services)
    await writer.close()
    rmSync(folder, { recursive: true })
  }
}

function startRelay(socketFile: string, server: URL): Server {
  const port = Number(server.port === '' ? 443 : server.port)
  const relay = createServer((inside) => {
    const outside = connect(port, server.hostname.replace(/^\[|\]$/g, ''))
    inside.pipe(outside).pipe(inside)
    for (const side of [inside, outside]) {
      side.on('error', () => {
        inside.destroy()
        outside.destroy()
      })
    }
  })
  return relay.listen(socketFile)
}

/** The same credentials with the relay as the server; certificates are checked against the real name. */
function relayedKubeconfig(file: string, server: string): string {
  const url = new URL(server)
  const document = parse(readFileSync(file, 'utf8'))
  for (const { cluster } of document.clusters ?? []) {
    if (cluster?.server !== undefined) cluster.server = `${url.protocol}//127.0.0.1:${relayPort}`
    if (url.protocol === 'https:') cluster['tls-server-name'] ??= url.hostname
  }
  return stringify(document)
}
