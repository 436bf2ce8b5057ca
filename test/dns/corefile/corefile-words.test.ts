import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import { goRegExp, groupCount } from '../../../src/dns/corefile/go-regexp.ts'
import { nearestWord } from '../../../src/dns/corefile/nearest-word.ts'
import { reverseZones } from '../../../src/dns/corefile/reverse-zones.ts'
import { parseGoDuration } from '../../../src/net/go-duration.ts'

const words = suite('words of a Corefile')

words('durations as in Go', () => {
  const texts = ['30s', '1h30m', '1.5s', '500ms', '0', '-2s', '10', '5x', '', '1h 2m', '100us']
  assert.equal(texts.map(parseGoDuration), [
    30_000,
    5_400_000,
    1_500,
    500,
    0,
    -2_000,
    undefined,
    undefined,
    undefined,
    undefined,
    0.1,
  ])
})

words('regular expressions as in Go', () => {
  assert.is(goRegExp('^(?P<a>[0-9]+)[.]x$')?.exec('12.x')?.groups?.a, '12')
  assert.is(goRegExp('(?i)^ABC$')?.test('abc'), true)
  assert.is(goRegExp('\\Aa[[:digit:]]\\z')?.test('a5'), true)
  assert.is(goRegExp('\\Qa.b\\E')?.test('axb'), false)
  assert.is(groupCount(goRegExp('(a)(?:b)(?P<c>d)') ?? /x/), 2)
  for (const refused of ['(', '(?=a)', '(?<!a)', '(a)\\1', '[']) {
    assert.is(goRegExp(refused), undefined, refused)
  }
})

words('the nearest word', () => {
  const known = ['forward', 'cache', 'kubernetes', 'log']
  assert.equal(
    ['forwad', 'cahce', 'kuberentes', 'lgo', 'something'].map((word) => nearestWord(word, known)),
    ['forward', 'cache', 'kubernetes', 'log', undefined],
  )
})

words('reverse zones of networks', () => {
  assert.equal(reverseZones('10.0.0.0/8'), ['10.in-addr.arpa.'])
  assert.equal(reverseZones('10.1.0.0/23'), ['0.1.10.in-addr.arpa.', '1.1.10.in-addr.arpa.'])
  assert.equal(reverseZones('192.0.2.7/32'), ['7.2.0.192.in-addr.arpa.'])
  assert.equal(reverseZones('2001:db8::/32'), ['8.b.d.0.1.0.0.2.ip6.arpa.'])
  assert.equal(reverseZones('fd00::/10').length, 4)
  assert.equal(reverseZones('x/8'), [])
})

/** Settings of one directive. */
function settingsOf(name: string, text: string): unknown {
  const { blocks } = checkCorefile('Corefile', `. {\n${text}\n}`, {
    environment: {},
    importFiles: () => undefined,
    defaultPort: 53,
  })
  const settings = Object.entries(blocks[0]?.settings ?? {}).find(([key]) => key === name)
  return settings?.[1]?.[0]
}

words('forward targets', () => {
  const targets = [
    ['10.0.0.1', 'dns 10.0.0.1 53 '],
    ['10.0.0.1:54', 'dns 10.0.0.1 54 '],
    ['[2001:DB8::1]:54', 'dns 2001:db8::1 54 '],
    ['fe80::1%eth0', 'dns fe80::1%eth0 53 '],
    ['tls://9.9.9.9', 'tls 9.9.9.9 853 '],
    ['https://9.9.9.9/q', 'https 9.9.9.9 443 /q'],
    ['https://9.9.9.9', 'https 9.9.9.9 443 /dns-query'],
  ]
  for (const [text, expected] of targets) {
    const { to } = settingsOf('forward', `forward . ${text}`) as { to: Record<string, unknown>[] }
    const [{ transport, address, port, path } = {}] = to
    assert.is(`${transport} ${address} ${port} ${path}`, expected)
  }
})

words('cache bounds, defaults of CoreDNS', () => {
  const { success, denial, servfailSeconds } = settingsOf('cache', 'cache') as Record<
    string,
    unknown
  >
  assert.equal(success, { maxEntries: 10_000, maxTtlSeconds: 3600, minTtlSeconds: 5, except: [] })
  assert.equal(denial, { maxEntries: 10_000, maxTtlSeconds: 1800, minTtlSeconds: 5, except: [] })
  assert.is(servfailSeconds, 5)
})

words('listeners of endpoints', () => {
  const listen = (name: string, text: string): unknown =>
    (settingsOf(name, text) as { listen: unknown }).listen
  assert.equal(listen('health', 'health'), { host: '', port: 8080 })
  assert.equal(listen('ready', 'ready [::1]:9000'), { host: '::1', port: 9000 })
  assert.equal(settingsOf('prometheus', 'prometheus'), { host: 'localhost', port: 9153 })
})

words.run()
