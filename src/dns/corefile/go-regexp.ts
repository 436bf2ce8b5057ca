/** Compiles a regular expression in Go's (RE2) notation: `(?P<name>...)`, `(?i)` and `(?s)` in front,
 *  `\A`, `\z`, `\Q...\E`, `[[:alpha:]]`. Undefined when it is none, or uses what Go refuses (look-around,
 *  back references). Groups count as in Go. The pattern comes from the operator, not from the network. */
export function goRegExp(pattern: string): RegExp | undefined {
  if (/\\[1-9]|\(\?<?[=!]/.test(pattern.replace(/\\\\/g, ''))) return undefined
  let flags = ''
  let source = pattern.replace(/^\(\?([imsU]+)\)/, (_, letters: string) => {
    flags = letters.replace('U', '')
    return ''
  })
  source = source
    .replace(/\\Q(.*?)(?:\\E|$)/gs, (_, text: string) =>
      text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[:(\^?)([a-z]+):\]/g, (whole, _negation, name: string) => classes[name] ?? whole)
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

/** Groups of a compiled expression, the whole match not counted. */
export function groupCount(expression: RegExp): number {
  const match = new RegExp(`${expression.source}|`, expression.flags).exec('')
  return match === null ? 0 : match.length - 1
}

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}
