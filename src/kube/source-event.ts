import { never } from '../net/never.ts'
import type { Kind } from './resources.ts'

/** What a source has to tell beside its objects. Each is told once per change of state, not once
 *  per retry. Errors never contain credentials. */
export type SourceEvent =
  | {
      readonly kind: 'object refused'
      /** A consumed kind, or Endpoints or Pod of a manifest. */
      readonly resource: string
      readonly key: string
      readonly error: Error
      /** True: an older good version stays in force. False: the object counts as absent. */
      readonly isKept: boolean
    }
  | { readonly kind: 'object accepted'; readonly resource: string; readonly key: string }
  | { readonly kind: 'watch failed'; readonly resource: Kind; readonly error: Error }
  | { readonly kind: 'watch restored'; readonly resource: Kind }
  | {
      readonly kind: 'file refused'
      readonly file: string
      readonly error: Error
      readonly isKept: boolean
    }
  | { readonly kind: 'file accepted'; readonly file: string }
  | {
      readonly kind: 'object doubled'
      readonly resource: string
      readonly key: string
      /** The file whose object counts, and the one whose object is ignored. */
      readonly usedFile: string
      readonly ignoredFile: string
    }

/** Receives the events of a source, synchronously. Must not throw. */
export type SourceReport = (event: SourceEvent) => void

/** One line for a log. */
export function formatSourceEvent(event: SourceEvent): string {
  switch (event.kind) {
    case 'object refused': {
      const effect = event.isKept ? 'the last good version stays' : 'the object is ignored'
      return `${event.error.message} (${effect})`
    }
    case 'object accepted':
      return `${event.resource} ${event.key}: good again`
    case 'watch failed':
      return `watch of ${event.resource}: ${event.error.message} (retried; the last state stays)`
    case 'watch restored':
      return `watch of ${event.resource}: restored`
    case 'file refused': {
      const effect = event.isKept ? 'its last good content stays' : 'the file is ignored'
      return `${event.error.message} (${effect})`
    }
    case 'file accepted':
      return `${event.file}: good again`
    case 'object doubled': {
      const { resource, key, usedFile, ignoredFile } = event
      return `${ignoredFile}: ${resource} ${key} is also in ${usedFile}, which is used`
    }
    default:
      return never(event)
  }
}
