import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { decodeMessage } from '../../src/dns/wire/decode-message.ts'
import { serviceCount, soakQuery } from './dns-load.ts'

/** An answer may be the old one for so long after its object has changed on disk. */
const staleMs = 5_000

/** The files of the server that is soaked, and questions to it. */
export class SoakedServer {
  /** Of the name server; the pages are at the next one. */
  readonly port = 20_000 + Math.floor(Math.random() * 20_000)
  readonly words: readonly string[]
  readonly #folder: string
  readonly #upstreamPort: number
  #version = 0
  #reloads = 0

  constructor(folder: string, upstreamPort: number) {
    this.#folder = folder
    this.#upstreamPort = upstreamPort
    this.words = ['--conf', join(folder, 'Corefile'), '--manifests', folder]
    this.#writeObjects()
    this.rewrite()
  }

  /** Writes the Corefile again, with another cache. */
  rewrite(): void {
    this.#reloads++
    this.#write(
      'Corefile',
      `.:${this.port} {
  bind 127.0.0.1
  health 127.0.0.1:${this.port + 1}
  prometheus 127.0.0.1:${this.port + 1}
  kubernetes cluster.local
  forward . 127.0.0.1:${this.#upstreamPort}
  cache ${3 + (this.#reloads % 5)} {
    success ${this.#reloads % 2 === 0 ? 2000 : 1000}
    prefetch 2 1m 20%
  }
}
`,
    )
  }

  /** Resolves when it answers. */
  async untilReady(): Promise<void> {
    while (!(await this.#page('/health').catch(() => '')).startsWith('OK')) await wait(200)
  }

  /** Gives the first service another address; a text when the answer does not follow. */
  async change(): Promise<string | undefined> {
    this.#version++
    this.#writeObjects()
    const deadline = performance.now() + staleMs
    let answer: string | undefined
    while (performance.now() < deadline) {
      answer = await this.#ask()
      if (answer === this.#changingAddress()) return undefined
      await wait(20)
    }
    return `s0 is still ${answer ?? 'not answered'}, not ${this.#changingAddress()}`
  }

  /** Resident memory of the process. */
  async memoryBytes(): Promise<number> {
    const text = await this.#page('/metrics')
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1])
  }

  #changingAddress(): string {
    return `10.97.${(this.#version >> 8) & 255}.${this.#version & 255}`
  }

  #writeObjects(): void {
    const items = Array.from({ length: serviceCount }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${index}` },
      spec: {
        clusterIP: index === 0 ? this.#changingAddress() : `10.96.0.${index}`,
        ports: [{ name: 'http', port: 80 }],
      },
    }))
    this.#write('objects.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  }

  /** At once: the server must never see half a file. */
  #write(name: string, text: string): void {
    const path = join(this.#folder, name)
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }

  async #ask(): Promise<string | undefined> {
    const socket = createSocket('udp4')
    try {
      socket.send(soakQuery('s0.default.svc.cluster.local.'), this.port, '127.0.0.1')
      const [packet] = await once(socket, 'message', { signal: AbortSignal.timeout(1_000) })
      const data = decodeMessage(packet as Buffer).answers[0]?.data
      return data?.kind === 'A' ? data.address : undefined
    } catch {
      return undefined
    } finally {
      socket.close()
    }
  }

  async #page(path: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const place = { host: '127.0.0.1', port: this.port + 1, path, agent: false, timeout: 5_000 }
    const asking = get(place, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    })
    asking.on('error', reject)
    return promise
  }
}
