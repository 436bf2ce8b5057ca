/** A manifest file, or an object in it, that cannot be used: `web.yaml:12: reason`. */
export class ManifestError extends Error {
  readonly code = 'PORTOLAN_MANIFEST'
  readonly file: string
  /** First line is 1; 0: the whole file. */
  readonly line: number
  readonly reason: string

  constructor(place: { readonly file: string; readonly line: number }, reason: string) {
    super(`${place.file}${place.line > 0 ? `:${place.line}` : ''}: ${reason}`)
    this.name = 'ManifestError'
    this.file = place.file
    this.line = place.line
    this.reason = reason
  }
}
