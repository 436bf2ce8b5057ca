import { asJsonObject } from './json-fields.ts'

/** An answer of the API server that is not the wanted one (meta/v1 Status). */
export class StatusError extends Error {
  readonly code = 'PORTOLAN_API_STATUS'
  /** HTTP status code, or the code of an ERROR event of a watch. */
  readonly status: number
  /** metav1.StatusReason, such as Expired or Forbidden; empty when the server gave none. */
  readonly reason: string
  /** How long the server asks to wait; undefined: it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(request: string, answer: StatusAnswer) {
    super(`${request}: ${answer.status} ${answer.reason}${answer.message}${advice(answer.status)}`)
    this.name = 'StatusError'
    this.status = answer.status
    this.reason = answer.reason
    this.retryAfterMs = answer.retryAfterMs
  }

  /** The resource version or continue token is too old: only a new list helps. */
  get isExpired(): boolean {
    if (this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone') return true
    // Some versions say it with a 500.
    return this.message.includes('too old resource version')
  }
}

/** What the server said; `message` begins with `: ` unless it is empty. */
export interface StatusAnswer {
  readonly status: number
  readonly reason: string
  readonly message: string
  readonly retryAfterMs: number | undefined
}

/** Reads a Status object, or whatever a proxy on the way answered instead. `status` is used when
 *  the body has no code of its own. Never throws. */
export function decodeStatus(
  body: unknown,
  status: number,
  retryAfter: string | undefined,
): StatusAnswer {
  const object = asJsonObject(body) ?? {}
  const details = asJsonObject(object.details) ?? {}
  const seconds = Number(retryAfter ?? details.retryAfterSeconds ?? Number.NaN)
  return {
    status: typeof object.code === 'number' && Number.isInteger(object.code) ? object.code : status,
    reason: typeof object.reason === 'string' ? object.reason.slice(0, 100) : '',
    message: typeof object.message === 'string' ? `: ${printable(object.message)}` : '',
    retryAfterMs: seconds >= 0 ? Math.min(seconds, maxRetryAfterSeconds) * 1000 : undefined,
  }
}

/** A server may not send us to sleep for longer. */
const maxRetryAfterSeconds = 300

/** One line of a log, not a page. */
const maxMessageCharacters = 500

function printable(text: string): string {
  return text.slice(0, maxMessageCharacters).replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
}

function advice(status: number): string {
  if (status === 401) return '; renew the credentials'
  if (status === 403) return '; grant get, list and watch to this user'
  return ''
}
