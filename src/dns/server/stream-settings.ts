import type { TimeoutSettings } from '../corefile/decode-small.ts'
import type { SecureSettings } from './secure-settings.ts'

/** What a listener of connections goes by; another one after each reload. */
export interface StreamSettings {
  /** Undefined: connections are not encrypted. */
  readonly secure: SecureSettings | undefined
  readonly timeouts: TimeoutSettings
}
