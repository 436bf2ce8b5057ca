import { dirname, resolve } from 'node:path'
import {
  type ClusterAccess,
  type ExecConfig,
  execApiVersions,
  type Material,
  type User,
} from './cluster-access.ts'
import type { FieldReader, JsonObject } from './json-fields.ts'
import { Secret } from './secret.ts'

/** Decodes the `cluster` part of a kubeconfig; relative paths are relative to the file. */
export function decodeCluster(
  reader: FieldReader,
  cluster: JsonObject,
  file: string,
): Omit<ClusterAccess, 'user' | 'namespace' | 'origin'> {
  const server = reader.text(cluster, 'server', maxTextCharacters)
  const expectedServer = 'a URL such as https://10.0.0.1:6443, without user and query'
  const url = urlOf(server)
  if (server.includes('@')) reader.secretFault('server', expectedServer)
  else if (!/^https?:$/.test(url?.protocol ?? '') || url?.search !== '' || url.hash !== '') {
    reader.fault('server', server, expectedServer)
  }
  const proxy = reader.secret(cluster, 'proxy-url', maxTextCharacters)
  if (proxy !== '' && !/^(?:https?|socks5):$/.test(urlOf(proxy)?.protocol ?? '')) {
    reader.secretFault('proxy-url', 'a URL that starts with http://, https:// or socks5://')
  }
  const serverName = reader.text(cluster, 'tls-server-name', maxTextCharacters)
  const isInsecure = reader.boolean(cluster, 'insecure-skip-tls-verify', false)
  const authority = decodeMaterial(reader, cluster, 'certificate-authority', file)
  if (isInsecure && authority !== undefined) {
    const expected = 'false or nothing, because a certificate authority is given too'
    reader.fault('insecure-skip-tls-verify', true, expected)
  }
  return {
    server: server.replace(/\/+$/, ''),
    authority,
    serverName: serverName === '' ? undefined : serverName,
    isInsecure,
    proxyUrl: proxy === '' ? undefined : new Secret(proxy),
  }
}

/** Decodes the `user` part of a kubeconfig. */
export function decodeUser(reader: FieldReader, user: JsonObject, file: string): User {
  if (user['auth-provider'] !== undefined && user['auth-provider'] !== null) {
    reader.secretFault('auth-provider', 'nothing: Kubernetes 1.26 removed it; use exec')
  }
  const token = reader.secret(user, 'token', maxSecretCharacters)
  if (!headerPattern.test(token)) reader.secretFault('token', 'printable characters only')
  const tokenFile = reader.text(user, 'tokenFile', maxTextCharacters)
  const username = reader.text(user, 'username', maxTextCharacters)
  const password = reader.secret(user, 'password', maxSecretCharacters)
  return {
    token: token === '' ? undefined : new Secret(token),
    tokenFile: tokenFile === '' ? undefined : besideFile(file, tokenFile),
    basic: username === '' ? undefined : { username, password: new Secret(password) },
    clientCertificate: decodeClientCertificate(reader, user, file),
    exec: decodeExec(reader, user, file),
    impersonation: decodeImpersonation(reader, user),
  }
}

/** Bounds far above what is in use; a certificate bundle is the largest. */
const maxTextCharacters = 4_096
const maxSecretCharacters = 1_048_576

/** What an HTTP header may carry. */
const headerPattern = /^[\x20-\x7e]*$/

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function besideFile(file: string, path: string): string {
  return resolve(dirname(file), path)
}

/** `NAME` is a path and `NAME-data` is base64 of PEM; the data wins, as in kubectl. */
function decodeMaterial(
  reader: FieldReader,
  parent: JsonObject,
  name: string,
  file: string,
): Material | undefined {
  const data = reader.secret(parent, `${name}-data`, maxSecretCharacters)
  if (data !== '') {
    const pem = Buffer.from(data, 'base64').toString('utf8')
    if (!pem.includes('-----BEGIN ')) reader.secretFault(`${name}-data`, 'base64 of a PEM text')
    return { kind: 'data', pem: new Secret(pem) }
  }
  const path = reader.text(parent, name, maxTextCharacters)
  return path === '' ? undefined : { kind: 'file', path: besideFile(file, path) }
}

function decodeClientCertificate(
  reader: FieldReader,
  user: JsonObject,
  file: string,
): User['clientCertificate'] {
  const certificate = decodeMaterial(reader, user, 'client-certificate', file)
  const key = decodeMaterial(reader, user, 'client-key', file)
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate !== undefined) {
    reader.secretFault('client-key', 'a key, because a client certificate is given')
  } else if (key !== undefined) {
    reader.secretFault('client-certificate', 'a certificate, because a client key is given')
  }
  return undefined
}

/** To leave these out silently would act with other rights than the file says. */
function decodeImpersonation(reader: FieldReader, user: JsonObject): User['impersonation'] {
  const name = reader.text(user, 'as', maxTextCharacters)
  const uid = reader.text(user, 'as-uid', maxTextCharacters)
  const groups = reader.texts(user, 'as-groups', 1_000, maxTextCharacters)
  if (Object.keys(reader.object(user, 'as-user-extra')).length > 0) {
    reader.secretFault('as-user-extra', 'nothing: extra fields cannot be impersonated')
  }
  for (const [member, text] of [
    ['as', name],
    ['as-uid', uid],
    ['as-groups', groups.join('')],
  ] as const) {
    if (!headerPattern.test(text)) reader.fault(member, text, 'printable characters only')
    if (text !== '' && name === '') reader.fault('as', '', `a user, because ${member} is given`)
  }
  if (name === '') return undefined
  return {
    'impersonate-user': name,
    ...(uid === '' ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': [...groups] }),
  }
}

function decodeExec(reader: FieldReader, user: JsonObject, file: string): ExecConfig | undefined {
  if (user.exec === undefined || user.exec === null) return undefined
  const exec = reader.object(user, 'exec')
  reader.enter('exec')
  const command = reader.text(exec, 'command', maxTextCharacters)
  if (command === '') reader.fault('command', exec.command, 'the name or path of a program')
  const apiVersion = execApiVersions.find((version) => version === exec.apiVersion)
  if (apiVersion === undefined) {
    reader.fault('apiVersion', exec.apiVersion, `one of ${execApiVersions.join(', ')}`)
  }
  const modes = ['Never', 'IfAvailable', 'Always'] as const
  if (reader.choice(exec, 'interactiveMode', modes, 'IfAvailable') === 'Always') {
    const expected = 'Never or IfAvailable: a service has no terminal'
    reader.fault('interactiveMode', 'Always', expected)
  }
  const config: ExecConfig = {
    apiVersion: apiVersion ?? execApiVersions[0],
    // A bare name is looked up in PATH, as kubectl does.
    command: command.includes('/') ? besideFile(file, command) : command,
    args: reader.texts(exec, 'args', 1_000, maxTextCharacters),
    env: reader.objects(exec, 'env', 1_000, (entry) => ({
      name: reader.text(entry, 'name', maxTextCharacters),
      value: new Secret(reader.secret(entry, 'value', maxSecretCharacters)),
    })),
    provideClusterInfo: reader.boolean(exec, 'provideClusterInfo', false),
    installHint: reader.text(exec, 'installHint', maxTextCharacters),
  }
  reader.leave()
  return config
}
