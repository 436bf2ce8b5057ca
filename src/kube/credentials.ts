import type { Clock } from './clock.ts'
import type { ClusterAccess, Environment, Material } from './cluster-access.ts'
import type { CredentialSource } from './credential-source.ts'
import { ExecCredentials } from './exec-credentials.ts'
import { RotatingFile } from './rotating-file.ts'
import { Secret } from './secret.ts'

/** The credentials of a user. As in client-go, a token (the file's first) stands before a user name
 *  and both before a plugin, which is asked only when there is neither. */
export function openCredentials(
  access: ClusterAccess,
  clock: Clock,
  environment: Environment,
): CredentialSource {
  const { token, tokenFile, basic, clientCertificate, exec } = access.user
  const certificate = clientCertificate && openMaterial(clientCertificate.certificate, clock)
  const key = clientCertificate && openMaterial(clientCertificate.key, clock)
  const file = tokenFile === undefined ? undefined : new RotatingFile(tokenFile, clock)
  const plugin =
    exec === undefined ? undefined : new ExecCredentials(exec, access, clock, environment)

  async function authorization(): Promise<Secret | undefined> {
    if (file !== undefined) {
      const text =
        token === undefined ? await file.read() : await file.read().catch(() => undefined)
      const trimmed = text?.trim() ?? ''
      if (trimmed !== '') return new Secret(`Bearer ${trimmed}`)
    }
    if (token !== undefined) return new Secret(`Bearer ${token.reveal()}`)
    if (basic === undefined) return undefined
    const pair = Buffer.from(`${basic.username}:${basic.password.reveal()}`)
    return new Secret(`Basic ${pair.toString('base64')}`)
  }

  return {
    async current() {
      const own = await authorization()
      const fromPlugin = own === undefined ? await plugin?.current() : undefined
      const pair =
        certificate && key
          ? { certificate: await certificate(), key: new Secret(await key()) }
          : undefined
      return {
        authorization: own ?? fromPlugin?.authorization,
        clientCertificate: pair ?? fromPlugin?.clientCertificate,
      }
    },
    expire() {
      file?.expire()
      plugin?.expire()
      return file !== undefined || plugin !== undefined
    },
  }
}

/** A reader of a PEM text that follows the file when it is replaced. */
export function openMaterial(material: Material, clock: Clock): () => Promise<string> {
  if (material.kind === 'data') return async () => material.pem.reveal()
  const file = new RotatingFile(material.path, clock)
  return () => file.read()
}
