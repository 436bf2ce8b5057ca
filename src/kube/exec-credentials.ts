import { spawn } from 'node:child_process'
import type { Clock } from './clock.ts'
import {
  type ClusterAccess,
  ClusterAccessError,
  type Environment,
  type ExecConfig,
} from './cluster-access.ts'
import type { Credentials } from './credential-source.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'
import { Secret } from './secret.ts'

/** A plugin that waits for a person never ends: a service cannot wait. */
const pluginTimeoutMs = 60_000
const maxOutputBytes = 1_048_576

/** Obtained anew this long before their end, so that no request is sent with ended ones. */
const earlyMs = 10_000

/** Credentials of a plugin, kept until they end or the server refuses them. Its standard error is
 *  passed through, its output (credentials) is never shown. */
export class ExecCredentials {
  readonly #config: ExecConfig
  readonly #access: ClusterAccess
  readonly #clock: Clock
  readonly #environment: Environment
  #current: PluginCredentials | undefined
  /** Requests that need credentials at the same moment share one run. */
  #running: Promise<PluginCredentials> | undefined

  constructor(config: ExecConfig, access: ClusterAccess, clock: Clock, environment: Environment) {
    this.#config = config
    this.#access = access
    this.#clock = clock
    this.#environment = environment
  }

  /** Rejects with a ClusterAccessError or a DecodeError when the plugin gives none. */
  async current(): Promise<Credentials> {
    const known = this.#current
    if (known !== undefined && this.#clock.now() < known.endsAt - earlyMs) return known
    this.#running ??= this.#obtain().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  expire(): void {
    this.#current = undefined
  }

  async #obtain(): Promise<PluginCredentials> {
    const output = await runPlugin(this.#config, this.#access, this.#environment)
    this.#current = decodeExecCredential(this.#config, output)
    return this.#current
  }
}

/** What a plugin gave, and when it ends (milliseconds since the epoch; Infinity: never). */
export interface PluginCredentials extends Credentials {
  readonly endsAt: number
}

/** Decodes a plugin's output, an ExecCredential. Throws a DecodeError that shows no value. */
export function decodeExecCredential(config: ExecConfig, output: string): PluginCredentials {
  const reader = new FieldReader()
  const root = asJsonObject(parseJson(output))
  if (root === undefined) reader.secretFault('output', 'the JSON of an ExecCredential')
  const object = root ?? {}
  if (object.kind !== 'ExecCredential') reader.secretFault('kind', 'ExecCredential')
  if (object.apiVersion !== config.apiVersion) reader.secretFault('apiVersion', config.apiVersion)
  const status = reader.object(object, 'status')
  reader.enter('status')
  const token = reader.secret(status, 'token', maxOutputBytes)
  if (!/^[\x20-\x7e]*$/.test(token)) reader.secretFault('token', 'printable characters only')
  const certificate = reader.secret(status, 'clientCertificateData', maxOutputBytes)
  const key = reader.secret(status, 'clientKeyData', maxOutputBytes)
  if ((certificate === '') !== (key === '')) {
    reader.secretFault('clientKeyData', 'certificate and key together')
  }
  if (token === '' && certificate === '') reader.secretFault('token', 'a token or a certificate')
  const endText = reader.secret(status, 'expirationTimestamp', 64)
  const endsAt = endText === '' ? Number.POSITIVE_INFINITY : Date.parse(endText)
  if (Number.isNaN(endsAt)) reader.secretFault('expirationTimestamp', 'an RFC 3339 time')
  reader.leave()
  reader.finish(`credential plugin ${config.command}`)
  return {
    authorization: token === '' ? undefined : new Secret(`Bearer ${token}`),
    clientCertificate: certificate === '' ? undefined : { certificate, key: new Secret(key) },
    endsAt,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function runPlugin(
  config: ExecConfig,
  access: ClusterAccess,
  environment: Environment,
): Promise<string> {
  const added = Object.fromEntries(config.env.map(({ name, value }) => [name, value.reveal()]))
  const info = JSON.stringify(execInfo(config, access))
  const child = spawn(config.command, config.args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environment, ...added, KUBERNETES_EXEC_INFO: info },
    timeout: pluginTimeoutMs,
    killSignal: 'SIGKILL',
  })
  const chunks: Buffer[] = []
  let outputBytes = 0
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes > maxOutputBytes) child.kill('SIGKILL')
    else chunks.push(chunk)
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (reason: string): void =>
    reject(new ClusterAccessError(`credential plugin ${config.command}: ${reason}`))
  child.on('error', (error: NodeJS.ErrnoException) => {
    const hint =
      config.installHint === '' ? 'install it or correct exec.command' : config.installHint
    fail(`cannot be started (${error.code}); ${hint}`)
  })
  child.on('close', (code, signal) => {
    if (code === 0) resolve()
    else if (outputBytes > maxOutputBytes) fail(`more than ${maxOutputBytes} bytes of output`)
    else if (signal !== null) fail(`no answer within ${pluginTimeoutMs / 1000} s, or killed`)
    else fail(`exit status ${code}; run it by hand to see why`)
  })
  await promise
  return Buffer.concat(chunks).toString('utf8')
}

function execInfo(config: ExecConfig, access: ClusterAccess): object {
  const cluster = {
    server: access.server,
    'tls-server-name': access.serverName,
    'insecure-skip-tls-verify': access.isInsecure,
    'certificate-authority-data':
      access.authority?.kind === 'data'
        ? Buffer.from(access.authority.pem.reveal()).toString('base64')
        : undefined,
  }
  return {
    apiVersion: config.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(config.provideClusterInfo ? { cluster } : {}) },
  }
}
