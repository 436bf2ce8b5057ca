import type { EngineName, ReactorLimits } from './reactor.ts'

/** How a reactor is opened. */
export interface ReactorOptions {
  /** Only this engine; absent: the best that works here. */
  readonly engine?: EngineName | undefined
  readonly limits?: Partial<ReactorLimits>
  /** `shared` (if absent): turns between the other events of Node's loop, asleep in its poll. `blocking`: sleeps
   *  in the engine, up to 100 ms: less work per turn, for worker threads that do nothing else. */
  readonly drive?: 'shared' | 'blocking'
  /** Checks ownership: each use of a lease after it was given away, of delivered bytes after their callback
   *  (they are overwritten), and leases left at the end. For tests. */
  readonly isChecked?: boolean
}

/** What all engines get: options with every default filled in. */
export interface EngineSettings {
  readonly limits: ReactorLimits
  readonly isBlocking: boolean
  readonly isChecked: boolean
}

/** What delivered bytes are overwritten with after their callback, in checked mode. */
export const poison = 0xdb

const mebibyte = 1 << 20

/** Defaults: 16 MiB are 512 receive buffers of 32 KiB, of which only those in flight take memory. */
export const defaultLimits: ReactorLimits = {
  connections: 65_536,
  receiveBytes: 16 * mebibyte,
  copyBytes: 16 * mebibyte,
  pendingBytes: 256 * 1024,
  lingerMs: 5000,
  tickMs: 10,
}
