import { execFileSync } from 'node:child_process'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** Larger than any kernel. */
const maximumBytes = 1 << 28

/** The ELF file inside a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length).
 *  qemu starts it by its PVH note: an emulated machine would need longer to unpack it than to boot.
 *  A compression that is not known, or has no `xz` here, leaves the bzImage as it is, which boots too. */
export function unpackKernelImage(image: Buffer): Buffer {
  const setupSectors = image.readUInt8(0x1f1) || 4
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248)
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c))
  try {
    return unpackPayload(payload) ?? image
  } catch {
    return image
  }
}

function unpackPayload(payload: Buffer): Buffer | undefined {
  // Four bytes of length follow the compressed stream.
  const stream = payload.subarray(0, -4)
  switch (payload.readUInt32BE(0)) {
    case 0xfd37_7a58:
      return execFileSync('xz', ['-dc'], { input: stream, maxBuffer: maximumBytes })
    case 0x28b5_2ffd:
      return zstdDecompressSync(stream, { maxOutputLength: maximumBytes })
    default:
      return payload.readUInt16BE(0) === 0x1f8b ? gunzipSync(stream) : undefined
  }
}
