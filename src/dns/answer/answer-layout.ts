import { headerBytes } from '../wire/decode-message.ts'
import { recordTypes } from '../wire/numbers.ts'

/** Places in an encoded answer that are changed when it is given again. */
export interface AnswerLayout {
  /** Offsets of the TTLs, without that of the OPT record. */
  readonly ttlOffsets: readonly number[]
  /** Address records that follow each other in the answer section and can change places as blocks of
   *  bytes; undefined when there are several, but not of that form. */
  readonly rotation: Rotation | undefined
}

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
  readonly ttlOffset: number
}

/** Finds the places in the bytes of an answer that our own encoder wrote, with one question. */
export function answerLayout(bytes: Uint8Array): AnswerLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const counts = [6, 8, 10].map((offset) => view.getUint16(offset))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const records: RecordPlace[] = []
  let offset = nameEnd(bytes, headerBytes) + 4
  for (let index = 0; index < total; index++) {
    const fixed = nameEnd(bytes, offset)
    const end = fixed + 10 + view.getUint16(fixed + 8)
    records.push({ offset, end, type: view.getUint16(fixed), ttlOffset: fixed + 4 })
    offset = end
  }
  return {
    ttlOffsets: records
      .filter(({ type }) => type !== recordTypes.OPT)
      .map(({ ttlOffset }) => ttlOffset),
    rotation: rotationOf(records.slice(0, counts[0])),
  }
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
