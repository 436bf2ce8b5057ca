/** A domain name as canonical text: absolute with its final dot (`web.default.svc.cluster.local.`, the
 *  root is `.`), letters as they came (0x20 keeps its case), and what is not printable, a dot or a
 *  backslash inside a label escaped as in zone files (`\.`, `\\`, `\032`). Equal bytes on the wire have
 *  equal texts, and the reverse. Names that people or objects give pass `parseName` first. */
export type DnsName = string

/** RFC 1035 section 2.3.4: bytes of a name on the wire, the root's zero byte included. */
export const maxNameBytes = 255

/** RFC 1035 section 2.3.4: bytes of a label without its length byte. */
export const maxLabelBytes = 63

/** The name in lower case, for keys and comparisons: RFC 4343 folds ASCII letters only. */
export function nameKey(name: DnsName): DnsName {
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index)
    if (code >= 65 && code <= 90) return name.toLowerCase()
  }
  return name
}

/** Whether two names are equal without regard to case. */
export function sameName(left: DnsName, right: DnsName): boolean {
  return left === right || (left.length === right.length && nameKey(left) === nameKey(right))
}

/** Whether `name` is `zone` or lies below it, without regard to case. */
export function isInZone(name: DnsName, zone: DnsName): boolean {
  if (zone === '.') return true
  const start = name.length - zone.length
  if (start < 0 || !sameName(name.slice(start), zone)) return false
  return start === 0 || isLabelStart(name, start)
}

/** The labels of a name, leftmost first, still escaped; none for the root. */
export function nameLabels(name: DnsName): string[] {
  if (name === '.') return []
  if (!name.includes('\\')) return name.slice(0, -1).split('.')
  const labels: string[] = []
  let start = 0
  for (let index = 0; index < name.length; index++) {
    const character = name[index]
    if (character === '\\') index++
    else if (character === '.') {
      labels.push(name.slice(start, index))
      start = index + 1
    }
  }
  return labels
}

/** The name without its first label; the root stays the root. */
export function parentName(name: DnsName): DnsName {
  for (let index = 0; index < name.length; index++) {
    const character = name[index]
    if (character === '\\') index++
    else if (character === '.') return index + 1 === name.length ? '.' : name.slice(index + 1)
  }
  return '.'
}

/** The canonical form of a name as people write it, the final dot optional; undefined when it is not a
 *  domain name (an empty label, a label over 63 or a name over 255 bytes, a wrong escape). */
export function parseName(text: string): DnsName | undefined {
  if (text === '.') return text
  let name = ''
  let labelBytes = 0
  let totalBytes = 1
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index)
    if (code === 46) {
      if (labelBytes === 0) return undefined
      totalBytes += labelBytes + 1
      labelBytes = 0
      name += '.'
      continue
    }
    if (code === 92) {
      const digits = /^[0-9]{3}/.exec(text.slice(index + 1, index + 4))?.[0]
      code = digits === undefined ? text.charCodeAt(index + 1) : Number(digits)
      index += digits === undefined ? 1 : 3
      if (Number.isNaN(code)) return undefined
    }
    if (code > 255 || ++labelBytes > maxLabelBytes) return undefined
    name += escapeByte(code)
  }
  if (labelBytes > 0) {
    totalBytes += labelBytes + 1
    name += '.'
  }
  return name === '' || totalBytes > maxNameBytes ? undefined : name
}

/** One byte of a label as it stands in the canonical text of a name. */
export function escapeByte(code: number): string {
  if (code === 46) return '\\.'
  if (code === 92) return '\\\\'
  if (code > 32 && code < 127) return String.fromCharCode(code)
  return `\\${String(code).padStart(3, '0')}`
}

/** Whether a label starts at `index`: the dot before it is not an escaped one. */
function isLabelStart(name: DnsName, index: number): boolean {
  if (name[index - 1] !== '.') return false
  let backslashes = 0
  while (name[index - 2 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 0
}
