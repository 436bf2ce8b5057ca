import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Clock } from '../clock.ts'
import { ManifestError } from './manifest-error.ts'

/** Told what happens to the files of a folder; paths are relative to it. */
export interface FolderListener {
  /** The file is new or has other content. */
  changed(file: string, text: string): void
  removed(file: string): void
  /** The file, or the folder itself (''), cannot be read; told at each look, until it can. */
  failed(file: string, error: ManifestError): void
  /** The folder itself can be read. */
  restored(): void
}

/** Bounds of what is read. A folder that exceeds them is no folder of manifests. */
export interface FolderBounds {
  readonly maxFiles: number
  readonly maxFileBytes: number
}

/** Editors write in several steps (truncate, write, rename); 50 ms of silence ends a change. */
const settleMs = 50

/** How often a folder is looked through whose notifications cannot be had (inotify limit,
 *  network). */
const pollMs = 5_000

/** A folder in which something changes without a pause is read at least this often. */
const maxUnsettledMs = 1_000

/** An emptied file may be one that is being rewritten: it is believed at the second look. */
const emptyFileMs = 250

const manifestName = /^[^.].*\.(?:ya?ml|json)$/i

/** Follows the manifest files (.yaml, .yml, .json) below a folder. Names with a leading dot are
 *  left out; links to files are followed, links to folders are not. Each folder has a watch of its
 *  own, and a notification only makes that folder be read again, so that a replacement by rename, a
 *  mounted ConfigMap and an edit in place all look the same. */
export class ManifestFolder {
  readonly #root: string
  readonly #listener: FolderListener
  readonly #bounds: FolderBounds
  readonly #clock: Clock
  /** By folder path: its files with the stamp of the content last read, and its watch. */
  readonly #folders = new Map<string, WatchedFolder>()
  readonly #dirty = new Set<string>()
  readonly #polled = new Set<string>()
  #cancelTimer: (() => void) | undefined
  #cancelPoll: (() => void) | undefined
  #unsettledSince: number | undefined
  #isReading = false
  #isClosed = false
  #fileCount = 0

  constructor(root: string, listener: FolderListener, bounds: FolderBounds, clock: Clock) {
    this.#root = root
    this.#listener = listener
    this.#bounds = bounds
    this.#clock = clock
  }

  /** Reads everything once and starts to follow. Rejects when the folder itself cannot be read. */
  async open(): Promise<void> {
    try {
      await readdir(this.#root)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new ManifestError(
        { file: this.#root, line: 0 },
        `cannot be read (${code}); give an existing folder of manifests`,
      )
    }
    await this.#readFolder(this.#root)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#cancelPoll?.()
    for (const folder of this.#folders.values()) folder.watcher?.close()
    this.#folders.clear()
  }

  #touch(path: string, afterMs: number): void {
    if (this.#isClosed) return
    this.#dirty.add(path)
    this.#unsettledSince ??= this.#clock.now()
    if (this.#cancelTimer && this.#clock.now() - this.#unsettledSince >= maxUnsettledMs) return
    this.#cancelTimer?.()
    this.#cancelTimer = this.#clock.schedule(() => {
      this.#cancelTimer = undefined
      this.#unsettledSince = undefined
      void this.#readDirty()
    }, afterMs)
  }

  async #readDirty(): Promise<void> {
    const [first] = this.#dirty
    if (first === undefined) return
    // The running look may have passed what has changed: look again after it.
    if (this.#isReading) return this.#touch(first, settleMs)
    this.#isReading = true
    const paths = [...this.#dirty]
    this.#dirty.clear()
    try {
      for (const path of paths.sort()) await this.#readFolder(path)
    } finally {
      this.#isReading = false
    }
  }

  async #readFolder(path: string): Promise<void> {
    const folder = this.#folders.get(path) ?? this.#addFolder(path)
    folder.watcher ??= this.#watchFolder(path)
    const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
    if (this.#isClosed) return
    if (entries === undefined) return this.#loseFolder(path)
    if (path === this.#root) this.#listener.restored()
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    const found = new Set<string>()
    for (const entry of entries) {
      const child = join(path, entry.name)
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        found.add(child)
        if (!this.#folders.has(child)) await this.#readFolder(child)
      } else if (manifestName.test(entry.name)) {
        if (await this.#readManifest(folder, child)) found.add(child)
      }
    }
    for (const file of [...folder.stamps.keys()]) {
      if (!found.has(file)) this.#removeFile(folder, file)
    }
    for (const child of [...this.#folders.keys()]) {
      if (isDirectChild(path, child) && !found.has(child)) this.#removeFolder(child)
    }
  }

  /** False when there is no such file (any more). */
  async #readManifest(folder: WatchedFolder, path: string): Promise<boolean> {
    const status = await stat(path).catch(() => undefined)
    if (this.#isClosed || status === undefined || !status.isFile()) return false
    const stamp = `${status.ino} ${status.mtimeMs} ${status.ctimeMs} ${status.size}`
    const before = folder.stamps.get(path)
    if (before === stamp) return true
    if (status.size === 0 && before !== undefined && before !== emptied) {
      folder.stamps.set(path, emptied)
      this.#touch(folder.path, emptyFileMs)
      return true
    }
    const fault = this.#boundFault(status.size, before === undefined)
    if (fault !== undefined) {
      this.#fail(path, fault)
      return before !== undefined
    }
    if (before === undefined) this.#fileCount++
    folder.stamps.set(path, stamp)
    try {
      const text = await readFile(path, 'utf8')
      if (!this.#isClosed) this.#listener.changed(relative(this.#root, path), text)
    } catch (error) {
      this.#fail(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
    return true
  }

  #boundFault(bytes: number, isNew: boolean): string | undefined {
    const { maxFileBytes, maxFiles } = this.#bounds
    if (bytes > maxFileBytes) return `${bytes} bytes, expected at most ${maxFileBytes}`
    if (isNew && this.#fileCount >= maxFiles)
      return `one file too many, expected at most ${maxFiles}`
    return undefined
  }

  #fail(path: string, reason: string): void {
    const file = relative(this.#root, path)
    this.#listener.failed(file, new ManifestError({ file: file || this.#root, line: 0 }, reason))
  }

  #addFolder(path: string): WatchedFolder {
    const folder: WatchedFolder = { path, stamps: new Map(), watcher: undefined }
    this.#folders.set(path, folder)
    return folder
  }

  #watchFolder(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, () => this.#touch(path, settleMs))
      watcher.on('error', () => this.#touch(path, settleMs))
      return watcher
    } catch {
      this.#poll(path)
      return undefined
    }
  }

  #poll(path: string): void {
    this.#polled.add(path)
    this.#cancelPoll ??= this.#clock.schedule(() => {
      this.#cancelPoll = undefined
      const paths = [...this.#polled].filter(
        (each) => each === this.#root || this.#folders.has(each),
      )
      this.#polled.clear()
      for (const each of paths) {
        this.#touch(each, 0)
        if (this.#folders.get(each)?.watcher === undefined) this.#poll(each)
      }
    }, pollMs)
  }

  /** A folder that vanished takes its files along; the root does not: a volume that is not mounted
   *  for a moment must not take every service away. */
  #loseFolder(path: string): void {
    if (path !== this.#root) {
      this.#removeFolder(path)
      return
    }
    const folder = this.#folders.get(path)
    folder?.watcher?.close()
    if (folder !== undefined) folder.watcher = undefined
    this.#fail(path, 'the folder cannot be read; its last content stays until it is back')
    this.#poll(path)
  }

  #removeFile(folder: WatchedFolder, path: string): void {
    folder.stamps.delete(path)
    this.#fileCount--
    this.#listener.removed(relative(this.#root, path))
  }

  #removeFolder(path: string): void {
    for (const child of [...this.#folders.keys()]) {
      if (isDirectChild(path, child)) this.#removeFolder(child)
    }
    const folder = this.#folders.get(path)
    if (folder === undefined) return
    folder.watcher?.close()
    this.#folders.delete(path)
    for (const file of [...folder.stamps.keys()]) this.#removeFile(folder, file)
  }
}

interface WatchedFolder {
  readonly path: string
  readonly stamps: Map<string, string>
  watcher: FSWatcher | undefined
}

/** Stamp of a file that was found empty once. */
const emptied = 'emptied'

function isDirectChild(parent: string, child: string): boolean {
  return child.startsWith(`${parent}/`) && !child.slice(parent.length + 1).includes('/')
}
