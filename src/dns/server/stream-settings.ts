import type { TimeoutSettings } from '../corefile/decode-small.ts'
import type { SecureSettings } from './secure-settings.ts'

/** What a listener of connections goes by; another one after each reload. */
export interface StreamSettings {
  /** Undefined: connections are not encrypted. */
  readonly secure: SecureSettings | undefined
  readonly timeouts: TimeoutSettings
}

/** Times without a `timeouts` directive: CoreDNS' own. RFC 7766 section 6.2.3 leaves the idle time to the
 *  server, with some seconds as advice. */
export const defaultTimeouts: TimeoutSettings = { readMs: 3_000, writeMs: 5_000, idleMs: 10_000 }
