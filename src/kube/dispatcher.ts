import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent, Socks5ProxyAgent } from 'undici'
import type { ClusterAccess, Environment } from './cluster-access.ts'

/** The TLS texts of the moment; files of them may be replaced while we run. */
export interface TlsTexts {
  readonly authority: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Timeouts of a connection pool, and whether HTTP/2 may be negotiated. */
export interface DispatcherOptions {
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly allowH2: boolean
  /** For HTTPS_PROXY and NO_PROXY, which count when the access names no proxy. */
  readonly environment: Environment
}

/** Opens the connection pool for one API server. Nothing is connected before the first request. */
export function openDispatcher(
  access: ClusterAccess,
  tls: TlsTexts,
  options: DispatcherOptions,
): Dispatcher {
  const requestTls = {
    ...(tls.authority === undefined ? {} : { ca: tls.authority }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key }),
    ...(access.serverName === undefined ? {} : { servername: access.serverName }),
    rejectUnauthorized: !access.isInsecure,
    timeout: options.connectTimeoutMs,
  }
  const shared = {
    allowH2: options.allowH2,
    headersTimeout: options.headersTimeoutMs,
    // A watch is silent for as long as nothing happens; the reflector has its own limit.
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
  }
  const proxy = access.proxyUrl?.reveal()
  if (proxy?.startsWith('socks5:')) {
    return new Socks5ProxyAgent(proxy, { ...shared, requestTls })
  }
  if (proxy !== undefined) return new ProxyAgent({ ...shared, uri: proxy, requestTls })
  const { environment } = options
  const httpsProxy = environment.HTTPS_PROXY ?? environment.https_proxy ?? ''
  const httpProxy = environment.HTTP_PROXY ?? environment.http_proxy ?? ''
  if (httpsProxy === '' && httpProxy === '') return new Agent({ ...shared, connect: requestTls })
  const noProxy = environment.NO_PROXY ?? environment.no_proxy ?? ''
  return new EnvHttpProxyAgent({
    ...shared,
    connect: requestTls,
    requestTls,
    httpProxy,
    httpsProxy,
    noProxy,
  })
}

/** Pages of a list and reconnected watches follow each other within this time. */
const keepAliveMs = 30_000
