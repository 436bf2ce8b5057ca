import { DecodeError } from '../net/decode-error.ts'
import type { ApiTransport } from './api-transport.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'
import { StatusError } from './status-error.ts'
import { decodeVersion } from './watch-event.ts'

/** Lists a collection page by page; `take` gets every raw object. When the server forgets the list
 *  in the middle (410), the whole is listed again in one answer, after `restart`. Gives the version
 *  from which a watch can go on; rejects like the transport, or with a DecodeError when the answer
 *  is no list. */
export async function listObjects(
  transport: ApiTransport,
  collection: { readonly path: string; readonly query: URLSearchParams; readonly limit: number },
  intake: { take(value: unknown): void; restart(): void },
  signal: AbortSignal,
): Promise<string> {
  const { path, query, limit } = collection
  let next: string | undefined = ''
  let version = ''
  const listPage = async (parameters: Readonly<Record<string, string>>): Promise<void> => {
    const pageQuery = new URLSearchParams({ ...Object.fromEntries(query), ...parameters })
    const page = decodePage(path, await transport.getJson(withQuery(path, pageQuery), signal))
    for (const item of page.items) intake.take(item)
    version = page.version
    next = page.next === '' ? undefined : page.next
  }
  try {
    // The server counts down what remains: a token that comes back would be an endless list.
    for (const seen = new Set<string>(); next !== undefined && !seen.has(next); ) {
      seen.add(next)
      const limitText = String(limit)
      await listPage(next === '' ? { limit: limitText } : { limit: limitText, continue: next })
    }
  } catch (error) {
    if (!(error instanceof StatusError) || !error.isExpired || !next) throw error
    intake.restart()
    await listPage({})
  }
  return version
}

/** A path with its query, if there is any. */
export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}

interface Page {
  readonly items: readonly unknown[]
  readonly version: string
  /** Token for the next page; empty: this was the last. */
  readonly next: string
}

/** No server gives more in one answer; its size in bytes is bounded by the transport. */
const maxItems = 5_000_000

function decodePage(path: string, value: unknown): Page {
  const page = asJsonObject(value)
  if (page === undefined) {
    throw new DecodeError(path, [{ path: [], value: typeof value, expected: 'a list object' }])
  }
  const reader = new FieldReader()
  const metadata = reader.object(page, 'metadata')
  const items = reader.list(page, 'items', maxItems)
  const next = reader.text(metadata, 'continue', 65_536)
  reader.finish(path)
  return { items, version: decodeVersion(metadata), next }
}
