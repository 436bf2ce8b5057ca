import type { HttpAnswer } from '../../observe/http-server.ts'

/** What a service's health-check node port answers: 200 when the node has a ready endpoint and the proxy
 *  itself is healthy. Body and headers are those of the original's pkg/proxy/healthcheck. `service` is
 *  `namespace/name`. */
export function serviceHealthAnswer(
  service: string,
  localEndpoints: number,
  serviceProxyHealthy: boolean,
): HttpAnswer {
  const slash = service.indexOf('/')
  const body = {
    service: { namespace: service.slice(0, slash), name: service.slice(slash + 1) },
    localEndpoints,
    serviceProxyHealthy,
  }
  return {
    status: localEndpoints > 0 && serviceProxyHealthy ? 200 : 503,
    contentType: 'application/json',
    headers: { 'x-load-balancing-endpoint-weight': String(localEndpoints) },
    body: JSON.stringify(body, undefined, '\t'),
  }
}
