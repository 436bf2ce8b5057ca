import { parseAddress } from '../../net/address.ts'
import { type HttpAnswer, type PageRoute, textAnswer } from '../../observe/http-server.ts'
import { parseName } from '../wire/name.ts'
import { parseType } from '../wire/numbers.ts'
import type { AnswerEngine, ExplainQuery } from './answer-engine.ts'

/** What the page says, as JSON: one for each thread. */
export type ExplainedJson = readonly {
  readonly listener: string
  readonly notes: readonly { readonly plugin: string; readonly text: string }[]
  /** The message in base64; null: there is no answer. */
  readonly answer: string | null
}[]

/** `/explain?name=NAME&type=TYPE`, with `from`, `transport` and `port`: what the running server would answer to
 *  a client, and why. For this machine only: it shows the cache, and asks upstreams. */
export function explainPage(engine: AnswerEngine): PageRoute {
  return (_path, { parameters, isLocal }) => {
    if (!isLocal) return textAnswer(403, 'explained to this machine only\n')
    const query = readQuery(parameters)
    return typeof query === 'string' ? textAnswer(400, `${query}\n`) : explain(engine, query)
  }
}

async function explain(engine: AnswerEngine, query: ExplainQuery): Promise<HttpAnswer> {
  const explained: ExplainedJson = (await engine.explain(query)).map((each) => ({
    listener: each.listener,
    notes: each.notes,
    answer: each.answer === undefined ? null : Buffer.from(each.answer).toString('base64'),
  }))
  return { status: 200, contentType: 'application/json', body: JSON.stringify(explained) }
}

/** The query, or what is wrong with it. */
function readQuery(parameters: URLSearchParams): ExplainQuery | string {
  const name = parseName(parameters.get('name') ?? '')
  if (name === undefined) return 'name: expected a domain name'
  const type = parseType(parameters.get('type') ?? 'A')
  if (type === undefined) return 'type: expected a record type'
  const client = parseAddress(parameters.get('from') ?? '127.0.0.1')
  if (client === undefined) return 'from: expected an address'
  const transport = parameters.get('transport') === 'tcp' ? 'tcp' : 'udp'
  const port = parameters.has('port') ? Number(parameters.get('port')) : undefined
  return { name, type, client: client.text, transport, port }
}
