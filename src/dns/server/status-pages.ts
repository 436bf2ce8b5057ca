import { AggregatorRegistry, type Registry } from 'prom-client'
import {
  type HttpAnswer,
  type ListeningServer,
  listenHttp,
  type PageRoute,
  textAnswer,
} from '../../observe/http-server.ts'
import type { Corefile } from '../corefile/check-corefile.ts'
import type { Listener } from '../corefile/decode-health.ts'
import type { AnswerEngine } from './answer-engine.ts'
import { explainPage } from './explain-page.ts'

/** What the pages tell. */
export interface PageParts {
  readonly engine: AnswerEngine
  /** False while the server is ending (`lameduck`). */
  readonly isHealthy: () => boolean
  /** Metrics of the process. */
  readonly processMetrics: Registry
}

/** Serves the pages that the blocks ask for: `health` (with /explain for this machine), `ready` and
 *  `prometheus`, each address once. Rejects with ListenError when one cannot be had. */
export async function listenPages(
  { blocks }: Corefile,
  { engine, isHealthy, processMetrics }: PageParts,
): Promise<readonly ListeningServer[]> {
  const servers = new Map<string, PageServer>()
  const add = (what: string, { host, port }: Listener, path: string, give: PageRoute): void => {
    const name = `${host}:${port}`
    const server = servers.get(name) ?? { what, host, port, pages: new Map() }
    servers.set(name, server)
    server.pages.set(path, give)
  }
  for (const { settings } of blocks) {
    for (const { listen } of settings.health ?? []) {
      add('health page', listen, '/health', () =>
        isHealthy() ? textAnswer(200, 'OK') : textAnswer(503, 'ending'),
      )
      add('health page', listen, '/explain', explainPage(engine))
    }
    for (const { listen } of settings.ready ?? []) {
      add('ready page', listen, '/ready', () => readyAnswer(engine))
    }
    for (const listen of settings.prometheus ?? []) {
      add('metrics page', listen, '/metrics', () => metricsAnswer(engine, processMetrics))
    }
  }
  return Promise.all([...servers.values()].map(listen))
}

/** Pages of one address, by path. */
interface PageServer extends Listener {
  readonly what: string
  readonly pages: Map<string, PageRoute>
}

function listen({ what, host, port, pages }: PageServer): Promise<ListeningServer> {
  const address = { host: host === '' ? '::' : host, port }
  return listenHttp(what, address, (path, request) => pages.get(path)?.(path, request))
}

async function readyAnswer(engine: AnswerEngine): Promise<HttpAnswer> {
  const waiting = await engine.waiting()
  return waiting.length === 0 ? textAnswer(200, 'OK') : textAnswer(503, waiting.join(','))
}

/** What the engine counts, and the process. */
async function metricsAnswer(engine: AnswerEngine, ofProcess: Registry): Promise<HttpAnswer> {
  const counted = AggregatorRegistry.aggregate([[...(await engine.metrics())]])
  const texts = await Promise.all([counted.metrics(), ofProcess.metrics()])
  return { status: 200, contentType: ofProcess.contentType, body: texts.join('\n') }
}
