/** Makes a cpio archive in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst), which
 *  the kernel unpacks into memory when it boots. Archives may follow each other in one file. */
export class FileArchive {
  readonly #parts: Buffer[] = []
  readonly #folders = new Set<string>()
  #count = 0

  /** Adds a file with its folders; `path` is absolute in the guest. */
  addFile(path: string, content: Buffer | string, mode = 0o644): void {
    this.#addParents(path)
    this.#add(path, 0o100_000 | mode, Buffer.from(content))
  }

  /** Adds a symbolic link. */
  addLink(path: string, target: string): void {
    this.#addParents(path)
    this.#add(path, 0o120_777, Buffer.from(target))
  }

  /** Adds an empty folder. */
  addFolder(path: string): void {
    this.#addParents(path)
    if (this.#folders.has(path)) return
    this.#folders.add(path)
    this.#add(path, 0o40_755, Buffer.alloc(0))
  }

  /** The whole archive, in parts that follow each other. */
  finish(): readonly Buffer[] {
    this.#add('/TRAILER!!!', 0, Buffer.alloc(0))
    return this.#parts
  }

  #addParents(path: string): void {
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (parent !== '') this.addFolder(parent)
  }

  #add(path: string, mode: number, content: Buffer): void {
    const name = path.slice(1)
    this.#count++
    // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    const fields = [this.#count, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0]
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    this.#parts.push(Buffer.from(head + padding(head.length)), content)
    this.#parts.push(Buffer.from(padding(content.length)))
  }
}

function padding(length: number): string {
  return '\0'.repeat(-length & 3)
}
