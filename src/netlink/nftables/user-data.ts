/** Types of nft's user data (one byte type, one byte length, value), of which the kernel only keeps the
 *  bytes. enum nftnl_udata_{table,chain,rule,set,set_elem}_types of libnftnl/udata.h. */
export const commentTypes = { table: 0, chain: 0, rule: 0, set: 7, element: 0 } as const

/** Bytes that a comment may have, with its NUL: NFT_USERDATA_MAXLEN (256) less type and length. nft takes 128 when
 *  it writes and any when it lists; names of service, port and pool together need up to 160. */
export const maximumCommentBytes = 254

/** One piece of user data. */
export interface UserDatum {
  readonly type: number
  readonly value: Uint8Array
}

/** Writes pieces one behind the other. */
export function encodeUserData(pieces: readonly UserDatum[]): Uint8Array {
  return Buffer.concat(
    pieces.flatMap(({ type, value }) => {
      if (value.length > 255) {
        throw new RangeError(`netlink: user data ${type} of ${value.length} bytes, expected <= 255`)
      }
      return [Buffer.from([type, value.length]), value]
    }),
  )
}

/** Reads pieces; what follows a broken length is left out, as other programs write what they like here. */
export function decodeUserData(bytes: Uint8Array): UserDatum[] {
  const pieces: UserDatum[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const type = bytes[at] ?? 0
    const length = bytes[at + 1] ?? 0
    const end = at + 2 + length
    if (end > bytes.length) break
    pieces.push({ type, value: bytes.subarray(at + 2, end) })
    at = end
  }
  return pieces
}

/** A comment as user data of its kind of object; longer texts are cut at a character. */
export function encodeComment(type: number, comment: string): Uint8Array {
  return encodeUserData([{ type, value: commentValue(comment) }])
}

/** The text with its closing NUL, cut to what nft accepts. */
export function commentValue(comment: string): Uint8Array {
  let text = comment
  while (Buffer.byteLength(text) >= maximumCommentBytes) text = text.slice(0, -1)
  return Buffer.from(`${text}\0`, 'utf8')
}

/** The comment in user data, or undefined. */
export function decodeComment(type: number, bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  const piece = decodeUserData(bytes).find((candidate) => candidate.type === type)
  if (piece === undefined) return undefined
  const text = Buffer.from(piece.value).toString('utf8')
  return text.endsWith('\0') ? text.slice(0, -1) : text
}
