import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { addressesOf, serviceJson, sliceJson } from '../support/generate-cluster.ts'

/** Endpoints of each generated service. */
const endpoints = 10

/** Files, ports and processes of one run; `close` ends and removes all. */
export class DnsBed {
  readonly folder = mkdtempSync(`${tmpdir()}/portolan-dns-bench-`)
  readonly upstreamPort: number
  readonly #children = new Set<ChildProcess>()
  readonly #folders = new Map<number, string>()

  constructor(upstreamPort: number) {
    this.upstreamPort = upstreamPort
  }

  /** Writes a file and gives its path. */
  write(name: string, content: string): string {
    const path = `${this.folder}/${name}`
    writeFileSync(path, content)
    return path
  }

  /** A folder of manifests with this many services, made once. */
  manifests(services: number): string {
    const known = this.#folders.get(services)
    if (known !== undefined) return known
    const folder = `${this.folder}/manifests-${services}`
    mkdirSync(folder)
    const items = Array.from({ length: services }, (_, index) => [
      serviceJson(index),
      sliceJson(index, addressesOf(index, endpoints)),
    ]).flat()
    writeFileSync(
      `${folder}/cluster.json`,
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    )
    this.#folders.set(services, folder)
    return folder
  }

  /** Kills the process with the bed. */
  adopt(child: ChildProcess): ChildProcess {
    this.#children.add(child)
    return child
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A UDP port of 127.0.0.1 that is free now. */
export async function freeUdpPort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1', () => {
    const { port } = socket.address()
    socket.close(() => resolve(port))
  })
  return promise
}
