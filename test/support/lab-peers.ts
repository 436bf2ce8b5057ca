import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface, type Interface } from 'node:readline'
import type { Answers, Request } from '../e2e/peers/requests.ts'
import type { LabNamespace } from './lab-topology.ts'
import type { NetworkLab } from './network-lab.ts'

const serverFile = new URL('../e2e/peers/server.ts', import.meta.url).pathname
const clientFile = new URL('../e2e/peers/client.ts', import.meta.url).pathname

/** Starts a server (test/e2e/peers/server.ts) and waits until it listens. `ports` are `TCP/8080` and so on. */
export async function startServer(
  lab: NetworkLab,
  namespace: LabNamespace,
  name: string,
  ports: readonly string[],
): Promise<void> {
  const child = lab.spawn(namespace, process.execPath, [serverFile, name, ...ports], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = linesOf(child)
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => 'it ended'),
  ])
  if (first !== 'ready') throw new Error(`server ${name}: ${first}`)
}

/** A client (test/e2e/peers/client.ts) in a namespace. */
export class LabClient {
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor(lab: NetworkLab, namespace: LabNamespace) {
    this.#child = lab.spawn(namespace, process.execPath, [clientFile], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#answers = linesOf(this.#child)[Symbol.asyncIterator]()
  }

  /** Sends a request and waits for its answer; one at a time. */
  async ask(request: Request): Promise<Answers> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#answers.next()
    if (done === true) throw new Error('client: it ended before it answered')
    return JSON.parse(value) as Answers
  }
}

function linesOf(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('a peer has no output')
  return createInterface({ input: child.stdout })
}
