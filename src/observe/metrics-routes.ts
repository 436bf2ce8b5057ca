import type { Registry } from 'prom-client'
import { type HttpAnswer, type HttpRoute, textAnswer } from './http-server.ts'

/** What the metrics server shows. */
export interface MetricsPages {
  readonly registry: Registry
  /** The configuration in force, as /configz shows it. */
  readonly configz: () => unknown
  /** The mechanism's name, as /proxyMode shows it. */
  readonly mode: () => string
}

/** The pages of the metrics server (:10249): /metrics, /healthz, /configz, /proxyMode. */
export function metricsRoutes(pages: MetricsPages): HttpRoute {
  return (path) => {
    switch (path) {
      case '/metrics':
        return metricsAnswer(pages.registry)
      case '/healthz':
        return textAnswer(200, 'ok')
      case '/proxyMode':
        return textAnswer(200, pages.mode())
      case '/configz':
        return {
          status: 200,
          contentType: 'application/json',
          body: JSON.stringify({ 'kubeproxy.config.k8s.io': pages.configz() }),
        }
      default:
        return path.startsWith('/debug/pprof') ? textAnswer(404, noProfiling) : undefined
    }
  }
}

const noProfiling =
  'no profiling page: start node with --cpu-prof, or with --inspect and attach a profiler\n'

/** All metrics of a registry, as Prometheus reads them. */
export async function metricsAnswer(registry: Registry): Promise<HttpAnswer> {
  return { status: 200, contentType: registry.contentType, body: await registry.metrics() }
}
