import { type Clock, systemClock } from './clock.ts'
import { createDecodePool } from './decode-pool.ts'
import { ManifestCatalog } from './manifests/manifest-catalog.ts'
import type { ManifestError } from './manifests/manifest-error.ts'
import { type FolderBounds, ManifestFolder } from './manifests/manifest-folder.ts'
import {
  type ManifestObject,
  manifestObjectId,
  parseManifest,
  type RefusedObject,
} from './manifests/parse-manifest.ts'
import type { Kind, Resources } from './resources.ts'
import { resourceKey } from './resources.ts'
import { compileSelection } from './selector.ts'
import type { SourceReport } from './source-event.ts'
import { type ClusterSource, type Selection, type Sink, Store } from './store.ts'

/** What a manifest source may be given; everything has a default. */
export interface ManifestSourceOptions {
  readonly report?: SourceReport
  readonly clock?: Clock
  readonly bounds?: FolderBounds
}

/** Loads a folder of manifests and follows its files until the signal is aborted. Rejects with a
 *  ManifestError when the folder cannot be read; a bad file in it is only reported. */
export async function openManifestSource(
  root: string,
  options: ManifestSourceOptions,
  signal: AbortSignal,
): Promise<ManifestSource> {
  const source = new ManifestSource(root, options)
  await source.open()
  if (signal.aborted) source.close()
  signal.addEventListener('abort', () => source.close(), { once: true })
  return source
}

const defaultBounds: FolderBounds = { maxFiles: 20_000, maxFileBytes: 64 * 1024 * 1024 }

/** Cluster state from YAML and JSON files. A file without structure keeps its last good content, an
 *  object that cannot be decoded its last good version. */
export class ManifestSource implements ClusterSource {
  readonly #stores: { readonly [K in Kind]: Store<Resources[K]> } = {
    Service: new Store(),
    EndpointSlice: new Store(),
    Node: new Store(),
    ServiceCIDR: new Store(),
    Namespace: new Store(),
    Pod: new Store(),
  }
  readonly #catalog: ManifestCatalog
  readonly #folder: ManifestFolder
  readonly #report: SourceReport
  readonly #pool = createDecodePool({ keepsPodNames: true })
  /** By file: the last message about it, and the refused objects with theirs. */
  readonly #complaints = new Map<string, Complaints>()

  constructor(root: string, options: ManifestSourceOptions) {
    const report = options.report ?? (() => {})
    this.#report = report
    this.#catalog = new ManifestCatalog(this.#stores, ({ object, usedFile, ignoredFile }) => {
      const key = resourceKey(object)
      report({ kind: 'object doubled', resource: object.kind, key, usedFile, ignoredFile })
    })
    this.#folder = new ManifestFolder(
      root,
      {
        changed: (file, text) => this.#changed(file, text),
        removed: (file) => this.#removed(file),
        failed: (file, error) => this.#refuseFile(file, error),
        restored: () => this.#acceptFile(''),
      },
      options.bounds ?? defaultBounds,
      options.clock ?? systemClock,
    )
  }

  /** Loads the folder. Rejects with a ManifestError when it cannot be read. */
  open(): Promise<void> {
    return this.#folder.open()
  }

  close(): void {
    this.#folder.close()
  }

  /** The sink has the complete state before the call returns. Rejects with a DecodeError for a
   *  selector that cannot be evaluated here. */
  async watch<K extends Kind>(
    kind: K,
    selection: Selection,
    sink: Sink<Resources[K]>,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted) return
    const matches = compileSelection(selection)
    const store: Store<Resources[K]> = this.#stores[kind]
    sink.replace([...store.values()].filter(matches))
    const unsubscribe = store.subscribe(({ key, before, after }) => {
      if (after !== undefined && matches(after)) sink.set(after)
      else if (before !== undefined && matches(before)) sink.delete(key)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    signal.addEventListener(
      'abort',
      () => {
        unsubscribe()
        resolve()
      },
      { once: true },
    )
    await promise
  }

  #changed(file: string, text: string): void {
    try {
      const { objects, refused } = parseManifest(file, text, this.#pool)
      const kept = this.#keptObjects(file, objects, refused)
      this.#acceptFile(file)
      this.#reportObjects(file, refused, kept)
      this.#catalog.setFile(file, [...objects, ...kept])
    } catch (error) {
      if ((error as ManifestError).code !== 'PORTOLAN_MANIFEST') throw error
      this.#refuseFile(file, error as ManifestError)
    }
  }

  #removed(file: string): void {
    this.#complaints.delete(file)
    this.#catalog.setFile(file, [])
  }

  /** The last good versions of objects that the new text has, but in a form that is refused. */
  #keptObjects(
    file: string,
    objects: readonly ManifestObject[],
    refused: readonly RefusedObject[],
  ): readonly ManifestObject[] {
    const good = new Set(objects.map(manifestObjectId))
    const bad = new Set(refused.map(({ kind, key }) => `${kind} ${key}`))
    return this.#catalog.objectsOf(file).filter((object) => {
      const id = manifestObjectId(object)
      return bad.has(id) && !good.has(id)
    })
  }

  #reportObjects(
    file: string,
    refused: readonly RefusedObject[],
    kept: readonly ManifestObject[],
  ): void {
    const complaints = this.#complaintsOf(file)
    const keptIds = new Set(kept.map(manifestObjectId))
    const before = new Map(complaints.objects)
    complaints.objects.clear()
    for (const { kind: resource, key, error } of refused) {
      const id = `${resource} ${key}`
      complaints.objects.set(id, { resource, key, reason: error.reason })
      if (before.get(id)?.reason === error.reason) continue
      this.#report({ kind: 'object refused', resource, key, error, isKept: keptIds.has(id) })
    }
    for (const [id, { resource, key }] of before) {
      if (!complaints.objects.has(id)) this.#report({ kind: 'object accepted', resource, key })
    }
  }

  #refuseFile(file: string, error: ManifestError): void {
    const complaints = this.#complaintsOf(file)
    if (complaints.file === error.message) return
    complaints.file = error.message
    const isKept = this.#catalog.objectsOf(file).length > 0
    this.#report({ kind: 'file refused', file, error, isKept })
  }

  #acceptFile(file: string): void {
    const complaints = this.#complaintsOf(file)
    if (complaints.file === undefined) return
    complaints.file = undefined
    this.#report({ kind: 'file accepted', file })
  }

  #complaintsOf(file: string): Complaints {
    const complaints = this.#complaints.get(file) ?? { file: undefined, objects: new Map() }
    this.#complaints.set(file, complaints)
    return complaints
  }
}

interface Complaints {
  file: string | undefined
  readonly objects: Map<string, { resource: string; key: string; reason: string }>
}
