/** The API server could not be reached, or the connection broke. A retry is safe: only reads are
 *  sent. */
export class TransportError extends Error {
  readonly code = 'PORTOLAN_API_TRANSPORT'

  constructor(request: string, cause: unknown, origin: string) {
    const { code, message } = describe(cause)
    super(`${request}: ${message}${advice(code, origin)}`, { cause })
    this.name = 'TransportError'
  }
}

function describe(cause: unknown): { code: string; message: string } {
  if (!(cause instanceof Error)) return { code: '', message: String(cause) }
  // Several addresses were tried: the first failure stands for all.
  const first = cause instanceof AggregateError ? (cause.errors[0] as Error) : cause
  const code = String((first as NodeJS.ErrnoException).code ?? '')
  const text = first.message === '' ? first.name : first.message
  return { code, message: text.includes(code) ? text : `${code} ${text}` }
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

const authorityCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

function advice(code: string, origin: string): string {
  if (networkCodes.has(code)) return `; is the server up, and its address right in ${origin}?`
  if (authorityCodes.has(code)) return `; set certificate-authority in ${origin}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `; set tls-server-name in ${origin}`
  if (code === 'CERT_HAS_EXPIRED') return '; renew the server certificate, or set the clock right'
  return ''
}
