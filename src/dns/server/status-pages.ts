import { AggregatorRegistry, type Registry } from 'prom-client'
import {
  type HttpAnswer,
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

/** The pages that blocks ask for: `health` (with /explain for this machine), `ready` and `prometheus`, each
 *  address once. They stay open when one Corefile follows another. */
export class StatusPages {
  readonly #parts: PageParts
  readonly #open = new Map<string, OpenPages>()

  constructor(parts: PageParts) {
    this.#parts = parts
  }

  /** Opens the addresses that a Corefile names, lets `takeRest` take it, and shows its pages. Rejects with
   *  ListenError when an address cannot be had, or as `takeRest` does: then nothing has changed. */
  async replace<T>(corefile: Corefile, takeRest: () => Promise<T>): Promise<T> {
    const wanted = wantedPages(corefile, this.#parts)
    const opened = new Map<string, OpenPages>()
    try {
      for (const [name, page] of wanted) {
        if (!this.#open.has(name)) opened.set(name, await openPages(page))
      }
      const taken = await takeRest()
      for (const [name, pages] of opened) this.#open.set(name, pages)
      for (const [name, { routes }] of wanted) this.#open.get(name)?.show(routes)
      const gone = [...this.#open].filter(([name]) => !wanted.has(name))
      for (const [name] of gone) this.#open.delete(name)
      await closeAll(gone.map(([, pages]) => pages))
      return taken
    } catch (error) {
      await closeAll([...opened.values()])
      throw error
    }
  }

  async close(): Promise<void> {
    await closeAll([...this.#open.values()])
  }
}

/** Pages of one address, by path. */
interface WantedPages extends Listener {
  readonly what: string
  readonly routes: Map<string, PageRoute>
}

function wantedPages(
  { blocks }: Corefile,
  { engine, isHealthy, processMetrics }: PageParts,
): ReadonlyMap<string, WantedPages> {
  const wanted = new Map<string, WantedPages>()
  const add = (what: string, { host, port }: Listener, path: string, give: PageRoute): void => {
    const name = `${host}:${port}`
    const pages = wanted.get(name) ?? { what, host, port, routes: new Map() }
    wanted.set(name, pages)
    pages.routes.set(path, give)
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
  return wanted
}

/** An address that is listened on. */
interface OpenPages {
  /** Until the first call no page is there. */
  show(routes: ReadonlyMap<string, PageRoute>): void
  close(): Promise<void>
}

async function openPages({ what, host, port }: WantedPages): Promise<OpenPages> {
  let routes: ReadonlyMap<string, PageRoute> = new Map()
  const address = { host: host === '' ? '::' : host, port }
  const server = await listenHttp(what, address, (path, request) =>
    routes.get(path)?.(path, request),
  )
  return {
    show(next) {
      routes = next
    },
    close: () => server.close(),
  }
}

async function closeAll(pages: readonly OpenPages[]): Promise<void> {
  await Promise.all(pages.map((each) => each.close()))
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
