import { aborted } from '../net/aborted.ts'
import { metricsRoutes } from '../observe/metrics-routes.ts'
import { describeConfiguration } from './config/describe-configuration.ts'
import { healthRoutes } from './health/health-routes.ts'
import { ProxyHealth } from './health/proxy-health.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { serveCluster } from './serve-cluster.ts'
import { type StatusServer, serveStatus } from './serve-status.ts'
import { watchCluster } from './watch-cluster.ts'

/** Serves the cluster's services on this node until the signal is aborted; the rules stay then. Nothing is
 *  written before the complete state is known. Rejects when the source cannot go on, or when a port cannot
 *  be bound and that is asked to be an error. */
export async function runProxy(parts: ProxyParts, signal: AbortSignal): Promise<void> {
  const ending = new AbortController()
  const living = AbortSignal.any([signal, ending.signal])
  const { options } = parts.setup.present
  const health = new ProxyHealth({
    now: () => parts.clock.now(),
    timeoutMs: () => parts.setup.present.options.healthTimeoutMs,
  })
  const stores = watchCluster(parts.source, options.nodeName, living)
  const running = [
    stores.ended,
    ...statusServers(parts, health).map((server) =>
      serveStatus(
        server,
        { isHardFail: options.bindAddressHardFail, logger: parts.logger, clock: parts.clock },
        living,
      ),
    ),
    serveCluster(parts, stores, health, living),
  ]
  // The first part that ends, well or badly, ends the others; all are waited for.
  await Promise.race([Promise.all(running), aborted(living)]).catch((error: unknown) => {
    ending.abort(error)
  })
  ending.abort()
  const outcomes = await Promise.allSettled(running)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function statusServers(parts: ProxyParts, health: ProxyHealth): readonly StatusServer[] {
  const { setup, metrics } = parts
  const { options } = setup.present
  const servers: StatusServer[] = []
  if (options.healthzAddress !== undefined) {
    const route = healthRoutes(health, (page, status) => {
      const counter = page === 'healthz' ? metrics.healthzAnswers : metrics.livezAnswers
      counter.inc({ code: String(status) })
    })
    servers.push({ what: 'health server', address: options.healthzAddress, route })
  }
  if (options.metricsAddress !== undefined) {
    const route = metricsRoutes({
      registry: metrics.registry,
      mode: () => setup.present.mechanism.name,
      configz: () => describeConfiguration(setup.present.options.configuration),
    })
    servers.push({ what: 'metrics server', address: options.metricsAddress, route })
  }
  return servers
}
