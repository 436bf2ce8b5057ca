import { type ListeningServer, listenHttp, textAnswer } from '../../observe/http-server.ts'
import { metricsAnswer } from '../../observe/metrics-routes.ts'
import type { Listener } from '../corefile/decode-health.ts'
import type { BuiltBlock } from '../plugins/build-servers.ts'
import type { DnsMetrics } from './dns-metrics.ts'

/** What the pages of a server tell. */
export interface PageParts {
  readonly metrics: DnsMetrics
  /** False while it is ending (`lameduck`). */
  readonly isHealthy: () => boolean
}

/** Serves the pages that the blocks ask for: `health`, `ready` and `prometheus`, each address once. Rejects
 *  with ListenError when one cannot be had. */
export async function listenPages(
  blocks: readonly BuiltBlock[],
  { metrics, isHealthy }: PageParts,
): Promise<readonly ListeningServer[]> {
  const pages = new Map<string, Promise<ListeningServer>>()
  const open = (what: string, { host, port }: Listener, answer: Page): void => {
    const name = `${host}:${port}`
    const address = { host: host === '' ? '::' : host, port }
    if (pages.has(name)) return
    pages.set(
      name,
      listenHttp(what, address, (path) => (path === answer.path ? answer.give() : undefined)),
    )
  }
  for (const { settings } of blocks) {
    for (const { listen } of settings.settings.health ?? []) {
      open('health page', listen, {
        path: '/health',
        give: () => (isHealthy() ? textAnswer(200, 'OK') : textAnswer(503, 'ending')),
      })
    }
    for (const { listen } of settings.settings.ready ?? []) {
      open('ready page', listen, { path: '/ready', give: () => readyAnswer(blocks) })
    }
    for (const listen of settings.settings.prometheus ?? []) {
      open('metrics page', listen, {
        path: '/metrics',
        give: () => metricsAnswer(metrics.registry),
      })
    }
  }
  return Promise.all(pages.values())
}

interface Page {
  readonly path: string
  readonly give: () => ReturnType<typeof textAnswer> | ReturnType<typeof metricsAnswer>
}

function readyAnswer(blocks: readonly BuiltBlock[]): ReturnType<typeof textAnswer> {
  const waiting = blocks
    .flatMap(({ chain }) => chain.plugins)
    .filter((plugin) => plugin.isReady?.() === false)
    .map(({ name }) => name)
  return waiting.length === 0 ? textAnswer(200, 'OK') : textAnswer(503, waiting.join(','))
}
