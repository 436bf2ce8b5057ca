import { parseAddress } from '../../net/address.ts'
import { type DnsName, nameKey, parseName } from '../wire/name.ts'

/** Addresses of the `nameserver` lines of a resolv.conf, canonical, in order. */
export function nameServers(text: string): readonly string[] {
  return fieldsOf(text).flatMap(([word, value = '']) => {
    const address = word === 'nameserver' ? parseAddress(value.split('%')[0] ?? '') : undefined
    return address === undefined ? [] : [address.text]
  })
}

/** The search path of a resolv.conf: the last `search` or `domain` line counts. In lower case. */
export function searchDomains(text: string): readonly DnsName[] {
  const lines = fieldsOf(text).filter(([word]) => word === 'search' || word === 'domain')
  const [, ...words] = lines.at(-1) ?? []
  return words.flatMap((word) => {
    const name = parseName(word)
    return name === undefined ? [] : [nameKey(name)]
  })
}

function fieldsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*[#;]/.test(line))
    .map((line) => line.trim().split(/\s+/))
}
