import { hash } from 'node:crypto'

/** A resource version for an object of a manifest: equal content has an equal version, so that an
 *  unchanged object causes no change in a store. */
export function contentVersion(object: object): string {
  return hash('sha1', JSON.stringify({ ...object, resourceVersion: '' }), 'hex')
}
