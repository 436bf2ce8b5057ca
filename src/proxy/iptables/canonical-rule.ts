import { splitWords } from '../simulate/iptables-words.ts'

/** Two texts of one rule: equal, or equal but for the order of matches, quotes, and matches of a protocol
 *  without options. Versions and variants of iptables print these differently. */
export function isSameRule(left: string, right: string): boolean {
  return left === right || canonicalRule(left) === canonicalRule(right)
}

/** The parts of a rule in an order of their own. */
export function canonicalRule(text: string): string {
  const groups: string[][] = []
  let negation = ''
  let isValue = false
  for (const word of splitWords(text)) {
    const current = groups.at(-1)
    if (isValue) {
      current?.push(word)
      isValue = false
    } else if (word === '!') negation = '! '
    else if (isOwnGroup(word)) {
      groups.push([negation + word])
      negation = ''
    } else {
      current?.push(negation + word)
      negation = ''
      isValue = word === '--comment'
    }
  }
  return groups
    .filter((group) => !isBareProtocol(group))
    .map((group) => group.join(' '))
    .sort()
    .join('\n')
}

/** What begins something of its own, and does not belong to the match or target before it. */
function isOwnGroup(word: string): boolean {
  return /^-[a-z]$/.test(word)
}

function isBareProtocol([option, name, ...rest]: readonly string[]): boolean {
  return option === '-m' && rest.length === 0 && /^(?:tcp|udp|sctp)$/.test(name ?? '')
}
