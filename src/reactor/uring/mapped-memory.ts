import { type Pointer, systemCalls } from '../descriptors/system-calls.ts'
import { ReactorError } from '../reactor-error.ts'

/** PROT_READ | PROT_WRITE, MAP_*; asm-generic/mman.h and mman-common.h */
const readAndWrite = 0x1 | 0x2
const mapFlags = { MAP_SHARED: 0x01, MAP_PRIVATE: 0x02, MAP_ANONYMOUS: 0x20, MAP_POPULATE: 0x8000 }

/** Pages that are shared with the kernel, as words of 4 bytes. */
export interface MappedMemory {
  readonly address: Pointer
  readonly words: Int32Array
  /** The words must not be touched afterwards. */
  unmap(): void
}

/** Maps a part of a descriptor. Throws ReactorError. */
export function mapDescriptor(fd: number, offset: number, byteCount: number): MappedMemory {
  return map(byteCount, mapFlags.MAP_SHARED | mapFlags.MAP_POPULATE, fd, offset)
}

/** Maps empty pages. Throws ReactorError. */
export function mapPages(byteCount: number): MappedMemory {
  return map(byteCount, mapFlags.MAP_PRIVATE | mapFlags.MAP_ANONYMOUS, -1, 0)
}

function map(byteCount: number, flags: number, fd: number, offset: number): MappedMemory {
  const calls = systemCalls()
  const address = calls.mmap(0, byteCount, readAndWrite, flags, fd, offset)
  if (address === -1) {
    throw new ReactorError('open io_uring', calls.errno(), `mmap of ${byteCount} bytes was refused`)
  }
  return {
    address,
    words: new Int32Array(calls.viewMemory(BigInt(address), byteCount)),
    unmap: () => {
      calls.munmap(address, byteCount)
    },
  }
}
