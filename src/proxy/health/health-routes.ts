import type { HttpRoute } from '../../observe/http-server.ts'
import type { ProxyHealth } from './proxy-health.ts'

/** /healthz and /livez of the health server (:10256). `answered` counts the answers. */
export function healthRoutes(
  health: ProxyHealth,
  answered: (page: 'healthz' | 'livez', status: number) => void,
): HttpRoute {
  return (path) => {
    const page = path === '/healthz' ? 'healthz' : path === '/livez' ? 'livez' : undefined
    if (page === undefined) return undefined
    const { isGood, body } = health.report(page)
    const status = isGood ? 200 : 503
    answered(page, status)
    return { status, contentType: 'application/json', body: JSON.stringify(body) }
  }
}
