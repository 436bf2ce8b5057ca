import process from 'node:process'
import type { Dispatcher } from 'undici'
import { systemClock } from '../../src/kube/clock.ts'
import type { ClusterAccess } from '../../src/kube/cluster-access.ts'
import { openCredentials, openMaterial } from '../../src/kube/credentials.ts'
import { openDispatcher } from '../../src/kube/dispatcher.ts'

/** Writes objects to an API server; the product itself only reads. */
export class ApiWriter {
  readonly #access: ClusterAccess
  #dispatcher: Dispatcher | undefined
  #authorization: string | undefined

  constructor(access: ClusterAccess) {
    this.#access = access
  }

  /** One request with a JSON body. Gives the answer's status and text; rejects when there is none. */
  async send(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    object: unknown,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const dispatcher = await this.#open()
    const answer = await dispatcher.request({
      origin: new URL(this.#access.server).origin,
      path: `${new URL(this.#access.server).pathname.replace(/\/$/, '')}${path}`,
      method,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
      },
      body: JSON.stringify(object),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }

  async close(): Promise<void> {
    await this.#dispatcher?.close()
  }

  async #open(): Promise<Dispatcher> {
    if (this.#dispatcher !== undefined) return this.#dispatcher
    const environment = process.env
    const credentials = await openCredentials(this.#access, systemClock, environment).current()
    const { authority } = this.#access
    this.#authorization = credentials.authorization?.reveal()
    this.#dispatcher = openDispatcher(
      this.#access,
      {
        authority: authority && (await openMaterial(authority, systemClock)()),
        certificate: credentials.clientCertificate?.certificate,
        key: credentials.clientCertificate?.key.reveal(),
      },
      { connectTimeoutMs: 10_000, headersTimeoutMs: 60_000, allowH2: true, environment },
    )
    return this.#dispatcher
  }
}
