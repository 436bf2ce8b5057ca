import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Corefile, checkCorefile } from '../../../src/dns/corefile/check-corefile.ts'
import { CorefileError } from '../../../src/dns/corefile/corefile-error.ts'
import type { ImportedFile } from '../../../src/dns/corefile/parse-corefile.ts'

const files: Readonly<Record<string, string>> = {
  'extra.conf': 'errors\nlog\n',
  'zones.conf': 'example.test {\n  whoami\n}\n',
  'circle.conf': 'import circle.conf\n',
}

function check(text: string): Corefile {
  return checkCorefile('Corefile', text, {
    environment: { PORT: '1053', ZONES: 'a.test b.test' },
    importFiles: (name: string): readonly ImportedFile[] | undefined => {
      const found = files[name]
      return found === undefined ? undefined : [{ file: name, text: found }]
    },
    defaultPort: 53,
  })
}

function faultsOf(text: string): readonly string[] {
  try {
    check(text)
    return []
  } catch (error) {
    if (error instanceof CorefileError) return error.message.split('\n')
    throw error
  }
}

const parser = suite('checkCorefile: structure')

parser('reads keys with transports, ports and networks', () => {
  const { blocks } = check(
    'tls://a.test, 10.1.0.0/15:1053 B.test {\n  errors\n}\n.:5353 {\n whoami\n}',
  )
  const keys = blocks.map((block) =>
    block.keys.map((key) => `${key.transport} ${key.zone} ${key.port}`),
  )
  assert.equal(keys, [
    [
      'tls a.test. 853',
      'dns 0.10.in-addr.arpa. 1053',
      'dns 1.10.in-addr.arpa. 1053',
      'dns b.test. 53',
    ].map((key) => key),
    ['dns . 5353'],
  ])
})

parser('fills in environment variables, also several keys from one', () => {
  const { blocks } = check('{$ZONES}:{%PORT%} {\n whoami\n}')
  assert.equal(
    blocks[0]?.keys.map((key) => `${key.zone}${key.port}`),
    ['a.test.53', 'b.test.1053'],
  )
})

parser('imports snippets and files, in blocks and between them', () => {
  const { blocks } = check(
    '(base) {\n  import extra.conf\n  cache 30\n}\n. {\n  import base\n}\nimport zones.conf',
  )
  assert.equal(Object.keys(blocks[0]?.settings ?? {}).sort(), ['cache', 'errors', 'log'])
  assert.equal(blocks[1]?.zones, ['example.test.'])
})

parser('takes one block without braces', () => {
  assert.equal(Object.keys(check('. \nwhoami\nerrors').blocks[0]?.settings ?? {}), [
    'whoami',
    'errors',
  ])
})

parser('drops comments and keeps quoted words', () => {
  const { blocks } = check('. { # here\n  log . "{name} # {type}" # there\n}')
  assert.is(blocks[0]?.settings.log?.[0]?.[0]?.format, '{name} # {type}')
})

const refusals: readonly [title: string, text: string, expected: readonly string[]][] = [
  [
    'connections have at least a second, and at most a day',
    '. {\n  timeouts {\n    read 100ms\n    idle 25h\n  }\n}',
    ['Corefile:3:10: got "100ms", expected a duration of 1s to 24h'],
  ],
  [
    'timeouts without any time',
    '. {\n  timeouts\n}',
    ['Corefile:2:3: timeouts needs at least one of read, write and idle'],
  ],
  [
    'an unknown directive, with the nearest',
    '. {\n    errors\n    forwad . 1.1.1.1\n}',
    ['Corefile:3:5: unknown directive "forwad", did you mean "forward"?'],
  ],
  [
    'a directive of CoreDNS that is not here',
    '. {\n  route53 x\n}',
    ['Corefile:2:3: directive "route53" is not supported: cloud zones are not read'],
  ],
  [
    'all faults at once',
    '. {\n  cache 0\n  bufsize 100\n}',
    [
      'Corefile:2:9: got "0", expected a number 1..2147483647',
      'Corefile:3:11: got "100", expected a number 512..4096',
    ],
  ],
  [
    'an unknown option',
    '. {\n  cache {\n    prefetchh 3\n  }\n}',
    ['Corefile:3:5: unknown option of "cache" "prefetchh", did you mean "prefetch"?'],
  ],
  [
    'a brace that is never closed',
    '. {\n  errors\n',
    ['Corefile:1:3: the brace of "." is never closed'],
  ],
  [
    'a quote that is never closed',
    '. {\n  log "x\n}',
    ['Corefile:2:7: this quote is never closed'],
  ],
  [
    'an import of nothing',
    '. {\n import nothing.conf\n}',
    ['Corefile:2:9: neither a snippet nor a file is named "nothing.conf"'],
  ],
  [
    'imports in a circle',
    'import circle.conf',
    ['circle.conf:1:1: too many imports: files or snippets import each other in a circle'],
  ],
  [
    'a directive twice',
    '. {\n  cache\n  cache\n}',
    ['Corefile:3:3: "cache" may stand only once in a server block'],
  ],
  [
    'a zone twice',
    'a.test {\n whoami\n}\na.test {\n whoami\n}',
    ['Corefile:4:1: dns://a.test.:53 is served twice'],
  ],
  [
    'a foreign transport',
    'grpc://. {\n whoami\n}',
    ['Corefile:1:1: transport "grpc" is not supported, use dns, tls or https'],
  ],
  [
    'a comma before the brace',
    'a.test, {\n whoami\n}',
    ['Corefile:1:9: a comma promises another zone, but none follows'],
  ],
  [
    'an upstream that is no address',
    '. {\n forward . example\n}',
    [
      'Corefile:2:12: got "example", expected an address, ADDRESS:PORT, or a file like /etc/resolv.conf',
    ],
  ],
  [
    'multicluster',
    '. {\n kubernetes cluster.local {\n  multicluster clusterset.local\n }\n}',
    ['Corefile:3:3: multicluster zones are not supported'],
  ],
]

for (const [title, text, expected] of refusals) {
  parser(`refuses ${title}`, () => assert.equal(faultsOf(text), expected))
}

parser.run()
