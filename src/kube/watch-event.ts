import { DecodeError } from '../net/decode-error.ts'
import { asJsonObject, FieldReader, type JsonObject } from './json-fields.ts'

/** One line of a watch (meta/v1 WatchEvent). */
export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
      readonly object: JsonObject
      readonly version: string
    }
  | {
      readonly type: 'BOOKMARK'
      readonly version: string
      /** Everything that existed at the start of a streaming list has been sent. */
      readonly isInitialEnd: boolean
    }
  | { readonly type: 'ERROR'; readonly status: JsonObject }

/** Decodes a line. Throws a DecodeError for anything that is not an event; the object is not looked
 *  into beyond its version. Unknown types are undefined: a newer server may have them. */
export function decodeWatchEvent(line: string): WatchEvent | undefined {
  const event = asJsonObject(parseLine(line))
  const object = asJsonObject(event?.object)
  if (event === undefined || object === undefined) {
    throw new DecodeError('watch event', [
      { path: [], value: line.slice(0, 100), expected: 'an object with type and object' },
    ])
  }
  const { type } = event
  if (type === 'ERROR') return { type, status: object }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK') {
    return undefined
  }
  const metadata = asJsonObject(object.metadata) ?? {}
  const version = decodeVersion(metadata)
  if (type !== 'BOOKMARK') return { type, object, version }
  const annotations = asJsonObject(metadata.annotations) ?? {}
  return { type, version, isInitialEnd: annotations[initialEndAnnotation] === 'true' }
}

/** Reads the version that a watch can start from. Throws a DecodeError when there is none. */
export function decodeVersion(metadata: JsonObject): string {
  const reader = new FieldReader()
  const version = reader.text(metadata, 'resourceVersion', 128)
  if (version === '') reader.fault('resourceVersion', metadata.resourceVersion, 'a text')
  reader.finish('metadata of the API server')
  return version
}

/** KEP-3157: marks the bookmark that ends the initial events. */
const initialEndAnnotation = 'k8s.io/initial-events-end'

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
