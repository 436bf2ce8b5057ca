import { type BlockContext, filePath } from './block-context.ts'
import { argumentOf, argumentsOf, decodeChoice, decodeOptions } from './decode-words.ts'
import type { Entry } from './parse-corefile.ts'

/** The `tls` directive: paths of PEM files for listeners over TLS and HTTPS. */
export interface TlsSettings {
  readonly certificate: string
  readonly key: string
  /** Authority of client certificates; undefined: the system's. */
  readonly authority: string | undefined
  readonly clientAuth: (typeof clientAuths)[number]
}

const clientAuths = [
  'nocert',
  'request',
  'require',
  'verify_if_given',
  'require_and_verify',
] as const

/** Decodes `tls CERTIFICATE KEY [AUTHORITY] { client_auth MODE }`. */
export function decodeTls(entry: Entry, context: BlockContext): TlsSettings {
  const paths = argumentsOf(entry, { min: 2, max: 3 }).map(({ text }) => filePath(text, context))
  const [certificate = '', key = '', authority] = paths
  let clientAuth: TlsSettings['clientAuth'] = 'nocert'
  decodeOptions(entry, {
    client_auth: (option) => {
      clientAuth = decodeChoice(argumentOf(option), clientAuths)
    },
  })
  return { certificate, key, authority, clientAuth }
}
