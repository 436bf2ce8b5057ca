import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeMessage } from '../../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { noFlags } from '../../../src/dns/wire/message.ts'
import { parseZoneFile } from '../../../src/dns/zonefile/parse-zone-file.ts'
import { ZoneTextError } from '../../../src/dns/zonefile/zone-text.ts'
import { formatRecord } from '../plugins/format-record.ts'

function parse(text: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  return parseZoneFile(text, 'test.', (path) => files[path]).map(formatRecord)
}

function faultOf(text: string): string {
  try {
    parse(text)
    return 'no fault'
  } catch (error) {
    if (error instanceof ZoneTextError) return error.message
    throw error
  }
}

const zonefile = suite('parseZoneFile')

const readable: readonly [title: string, text: string, expected: readonly string[]][] = [
  [
    'owners that repeat',
    '$TTL 5\na A 192.0.2.1\n\tAAAA ::1',
    ['a.test. 5 A 192.0.2.1', 'a.test. 5 AAAA ::1'],
  ],
  [
    'TTL and class in any order',
    'a IN 7 A 192.0.2.1\nb 1h30m IN A 192.0.2.2',
    ['a.test. 7 A 192.0.2.1', 'b.test. 5400 A 192.0.2.2'],
  ],
  [
    'the last TTL without $TTL',
    'a 7 A 192.0.2.1\nb A 192.0.2.2',
    ['a.test. 7 A 192.0.2.1', 'b.test. 7 A 192.0.2.2'],
  ],
  [
    '$ORIGIN, relative and absolute',
    '$TTL 1\n$ORIGIN sub\na NS b\n$ORIGIN other.\n@ NS c.x.',
    ['a.sub.test. 1 NS b.sub.test.', 'other. 1 NS c.x.'],
  ],
  [
    'parentheses, comments and quotes',
    '$TTL 1\na TXT ( "x;(" ; no\n  y ) ; end',
    ['a.test. 1 TXT "x;(" "y"'],
  ],
  [
    'escapes in strings and names',
    '$TTL 1\na\\.b TXT "\\"q\\"" \\065',
    ['a\\.b.test. 1 TXT "\\"q\\"" "A"'],
  ],
  [
    'CAA, NAPTR and SRV',
    '$TTL 1\n@ CAA 0 issue "ca.test"\n@ NAPTR 1 2 U SIP "!^.*$!x!" .\n@ SRV 1 2 3 a',
    [
      'test. 1 CAA 0 issue ca.test',
      'test. 1 NAPTR 1 2 U SIP !^.*$!x! .',
      'test. 1 SRV 1 2 3 a.test.',
    ],
  ],
  [
    'DS, TLSA, SSHFP, HINFO as bytes',
    '$TTL 1\n@ DS 1 8 2 ab cd\n@ TLSA 3 1 1 0f\n@ SSHFP 1 2 ff\n@ HINFO a b',
    [
      'test. 1 DS 00010802abcd',
      'test. 1 TLSA 0301010f',
      'test. 1 SSHFP 0102ff',
      'test. 1 HINFO 01610162',
    ],
  ],
  ['unknown types', '$TTL 1\n@ TYPE65280 \\# 3 01 0203', ['test. 1 TYPE65280 010203']],
]

for (const [title, text, expected] of readable) {
  zonefile(`reads ${title}`, () => assert.equal(parse(text), expected))
}

zonefile('reads service parameters, which survive the wire', () => {
  const text =
    '$TTL 1\n@ HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=::1 key65000=x'
  const answers = parseZoneFile(text, 'test.', () => undefined)
  const message = {
    ...{ id: 1, flags: noFlags, opcode: 0, rcode: 0, edns: undefined },
    ...{ questions: [], answers, authority: [], additional: [] },
  }
  const [record] = decodeMessage(encodeMessage(message, 512)).answers
  const parameters = record?.data.kind === 'SVCB' ? record.data.parameters : []
  assert.equal(
    parameters.map(({ key, value }) => `${key}=${Buffer.from(value).toString('hex')}`),
    ['1=026832026833', '3=20fb', '4=c0000201c0000202', `6=${'0'.repeat(31)}1`, '65000=78'],
  )
})

zonefile('includes files, with an origin of their own', () => {
  const files = { more: 'x A 192.0.2.9', circle: '$INCLUDE circle' }
  assert.equal(parse('$TTL 1\n$INCLUDE more sub\ny A 192.0.2.8', files), [
    'x.sub.test. 1 A 192.0.2.9',
    'y.test. 1 A 192.0.2.8',
  ])
  assert.throws(() => parse('$INCLUDE circle', files), /files include each other/)
})

const faults: readonly [title: string, text: string, expected: string][] = [
  ['an address that is none', '$TTL 1\na A 1.2.3', '2:5: got "1.2.3", expected an IPv4 address'],
  ['a type that is none', 'a 5 IN FOO x', '1:8: expected a record type, got "FOO"'],
  ['too few fields', '$TTL 1\na MX 10', '2:3: MX: too few fields'],
  ['too many fields', '$TTL 1\na A 192.0.2.1 x', '2:15: unexpected "x"'],
  ['a record without TTL', 'a A 192.0.2.1', '1:3: the record has no TTL and the file no $TTL'],
  ['a first record without owner', '$TTL 1\n A 192.0.2.1', '2:2: the first record needs an owner'],
  [
    '$GENERATE',
    '$GENERATE 1-9 a$ A 192.0.2.$',
    '1:1: $GENERATE is not supported: write the records out',
  ],
  ['other directives', '$FOO x', '1:1: unknown directive "$FOO"'],
  ['an open parenthesis', 'a TXT ( x', '1:1: a ")" is missing'],
  ['an open quote', 'a TXT "x', '1:7: this quote is never closed'],
  [
    'a type without text form',
    '$TTL 1\n@ NSEC a A',
    '2:3: NSEC has no text form here: write its data as \\# LENGTH HEXADECIMAL',
  ],
  [
    'a string that is too long',
    `$TTL 1\n@ TXT ${'x'.repeat(256)}`,
    '2:7: a character string has at most 255 bytes',
  ],
]

for (const [title, text, expected] of faults) {
  zonefile(`refuses ${title}`, () => assert.is(faultOf(text), expected))
}

zonefile.run()
