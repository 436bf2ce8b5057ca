import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { buildCommand } from '../support/build-command.ts'
import { addressesOf, serviceJson, sliceJson } from '../support/generate-cluster.ts'

/** Endpoints of each generated service. */
const endpoints = 10

/** Files, ports and processes of one run; `close` ends and removes all. */
export class DnsBed {
  readonly folder = mkdtempSync(`${tmpdir()}/portolan-dns-bench-`)
  readonly upstreamPort: number
  /** Main file of `portolan`, built. */
  readonly command: string
  readonly #children = new Set<ChildProcess>()
  readonly #folders = new Map<number, string>()

  constructor(upstreamPort: number) {
    this.upstreamPort = upstreamPort
    this.command = buildCommand(this.folder)
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

/** Ports that are tried before the search is given up. */
const maxTries = 50

/** A port of 127.0.0.1 that is free now for UDP and for TCP: name servers want both. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const datagrams = createSocket('udp4')
    const streams = createServer()
    try {
      datagrams.bind(0, '127.0.0.1')
      await once(datagrams, 'listening')
      const { port } = datagrams.address()
      streams.listen(port, '127.0.0.1')
      await once(streams, 'listening')
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    } finally {
      datagrams.close()
      streams.close()
    }
  }
  throw new Error(`no port is free for both UDP and TCP, of ${maxTries} that were tried`)
}
