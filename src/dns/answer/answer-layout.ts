import { headerBytes } from '../wire/decode-message.ts'
import { recordTypes } from '../wire/numbers.ts'
import { readU16 } from '../wire/read-u16.ts'

/** `count` blocks of `blockBytes` from `offset`. */
export interface Rotation {
  readonly offset: number
  readonly blockBytes: number
  readonly count: number
}

/** No rotation. */
export const noRotation: Rotation = { offset: 0, blockBytes: 0, count: 0 }

interface RecordPlace {
  readonly offset: number
  readonly end: number
  readonly type: number
}

/** Offsets of the TTLs in the bytes of an answer that our own encoder wrote, with one question; without that of
 *  the OPT record. */
export function ttlOffsets(bytes: Uint8Array): readonly number[] {
  const total = readU16(bytes, 6) + readU16(bytes, 8) + readU16(bytes, 10)
  const offsets: number[] = []
  let at = nameEnd(bytes, headerBytes) + 4
  for (let index = 0; index < total; index++) {
    const fixed = nameEnd(bytes, at)
    if (readU16(bytes, fixed) !== recordTypes.OPT) offsets.push(fixed + 4)
    at = fixed + 10 + readU16(bytes, fixed + 8)
  }
  return offsets
}

/** Finds the address records of such an answer that can change places as blocks of bytes; undefined when there are
 *  several, but not of that form. */
export function answerRotation(bytes: Uint8Array): Rotation | undefined {
  const count = readU16(bytes, 6)
  const answers: RecordPlace[] = []
  let offset = nameEnd(bytes, headerBytes) + 4
  for (let index = 0; index < count; index++) {
    const fixed = nameEnd(bytes, offset)
    const end = fixed + 10 + readU16(bytes, fixed + 8)
    answers.push({ offset, end, type: readU16(bytes, fixed) })
    offset = end
  }
  return rotationOf(answers)
}

function nameEnd(bytes: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    const length = bytes[at] ?? 0
    if (length >= 0xc0) return at + 2
    if (length === 0) return at + 1
    at += length + 1
  }
}

/** Owners are pointers to the question or names of one length: else blocks could not be exchanged, because
 *  a later name may point into an earlier block. Aliases before them stay where they are. */
function rotationOf(answers: readonly RecordPlace[]): Rotation | undefined {
  const addresses = answers.filter(
    ({ type }) => type === recordTypes.A || type === recordTypes.AAAA,
  )
  const [first] = addresses
  if (first === undefined || addresses.length < 2) return noRotation
  const blockBytes = first.end - first.offset
  const addressBytes = first.type === recordTypes.A ? 16 : 28
  const isUniform = addresses.every(
    ({ offset, end, type }, index) =>
      type === first.type &&
      end - offset === blockBytes &&
      offset === first.offset + index * blockBytes,
  )
  const isPointed = blockBytes === addressBytes
  if (!isUniform || !isPointed) return undefined
  return { offset: first.offset, blockBytes, count: addresses.length }
}
