import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** A server that does not accept by then is not going to. */
const patienceMs = 10_000

/** Files and processes of one run; `close` ends and removes all. */
export class RelayBed {
  readonly folder = mkdtempSync(`${tmpdir()}/portolan-relay-bench-`)
  readonly #children = new Set<ChildProcess>()

  /** Writes a file and gives its path. */
  write(name: string, content: string): string {
    const path = `${this.folder}/${name}`
    writeFileSync(path, content)
    return path
  }

  /** Makes a file of this many zero bytes that take no room. */
  writeHole(name: string, bytes: number): void {
    truncateSync(this.write(name, ''), bytes)
  }

  /** Starts a program that writes to `NAME.log`; it ends with the bed. */
  spawn(name: string, path: string, words: readonly string[]): ChildProcess {
    const log = openSync(`${this.folder}/${name}.log`, 'a')
    return this.#adopt(spawn(path, words, { stdio: ['pipe', log, log] }))
  }

  /** Runs a file of ours with Node and waits for its first line. */
  async script(file: URL, order: unknown): Promise<{ child: ChildProcess; line: string }> {
    const child = this.#adopt(
      spawn(process.execPath, [file.pathname, JSON.stringify(order)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    if (child.stdout === null) throw new Error(`${file.pathname}: has no output`)
    const lines = createInterface(child.stdout)
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`${file.pathname} ended with ${code ?? signal}; see above`)
      }),
    ])
    return { child, line: String(line) }
  }

  /** Ends a child and waits for that. */
  async stop(child: ChildProcess): Promise<void> {
    this.#children.delete(child)
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  close(): void {
    for (const child of this.#children) child.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #adopt(child: ChildProcess): ChildProcess {
    this.#children.add(child)
    return child
  }
}

/** Resolves when a TCP port of 127.0.0.1 accepts. Rejects after ten seconds. */
export async function accepting(port: number): Promise<void> {
  await eventually(`port ${port} does not accept`, async () => {
    const { promise, resolve } = Promise.withResolvers<true | undefined>()
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(undefined))
    const isOpen = await promise
    socket.destroy()
    return isOpen
  })
}

/** Asks again and again until there is an answer. Rejects after ten seconds with what has not happened. */
export async function eventually<T>(
  failure: string,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 20) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await wait(20)
  }
  throw new Error(`${failure} after ${patienceMs} ms`)
}
