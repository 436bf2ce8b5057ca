import { readFileSync } from 'node:fs'
import { addressesOf, serviceJson, sliceJson } from '../../bench/support/generate-cluster.ts'
import { decodeMessage } from '../../src/dns/wire/decode-message.ts'
import { encodeMessage } from '../../src/dns/wire/encode-message.ts'
import { WireError } from '../../src/dns/wire/wire-error.ts'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import { ManifestError } from '../../src/kube/manifests/manifest-error.ts'
import { parseManifest } from '../../src/kube/manifests/parse-manifest.ts'
import { DecodeError } from '../../src/net/decode-error.ts'
import { decodeAnyNetlink } from '../../src/netlink/nftables/decode-any-netlink.ts'
import { parseProxyConfiguration } from '../../src/proxy/config/parse-proxy-configuration.ts'
import { decodeProxyHeader } from '../../src/proxy-protocol/decode-proxy-header.ts'
import { encodeProxyHeader } from '../../src/proxy-protocol/encode-proxy-header.ts'
import type { ProxiedFlow } from '../../src/proxy-protocol/proxied-flow.ts'
import { dnsSamples, openDnsServer } from './dns-samples.ts'
import { bytesTarget, type FuzzTarget, textTarget, valueTarget } from './fuzz-target.ts'
import type { JsonValue } from './mutate-value.ts'
import { netlinkSamples } from './netlink-samples.ts'
import { configurationSample, nodeSample, serviceSample } from './text-samples.ts'

const isDecodeError = (error: unknown): boolean => error instanceof DecodeError
const isManifestError = (error: unknown): boolean => error instanceof ManifestError
const pool = createDecodePool()

const proxiedFlow: ProxiedFlow = {
  source: { address: '2001:db8::1', port: 40_000 },
  destination: { address: 'fd00::7', port: 443 },
}

function example(name: string): string {
  return readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')
}

/** A slice with everything that the decoder knows. */
const richSlice = sliceJson(1, addressesOf(1, 3)) as JsonValue

const isWireError = (error: unknown): boolean => error instanceof WireError

/** Opened when it is needed: a run of another target does not need a DNS server. */
let answerDns: ((packet: Uint8Array) => void) | undefined

/** Every decoder of data that comes from outside. */
export const fuzzTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'netlink datagrams',
    share: 50,
    samples: netlinkSamples,
    decode: (input) => void decodeAnyNetlink(input),
    isRefusal: isDecodeError,
  }),
  bytesTarget({
    name: 'DNS messages',
    share: 20,
    leastRuns: { test: 100_000, fuzz: 5_000_000 },
    samples: dnsSamples,
    decode: (input) => void encodeMessage(decodeMessage(input), 65_535),
    isRefusal: isWireError,
  }),
  bytesTarget({
    name: 'DNS queries',
    share: 20,
    leastRuns: { test: 100_000, fuzz: 5_000_000 },
    samples: dnsSamples,
    decode: (input) => {
      answerDns ??= openDnsServer()
      answerDns(input)
    },
    isRefusal: () => false,
  }),
  bytesTarget({
    name: 'headers of the PROXY protocol',
    share: 5,
    samples: [encodeProxyHeader('v1', proxiedFlow), encodeProxyHeader('v2', proxiedFlow)],
    decode: (input) => {
      const decoded = decodeProxyHeader(input)
      if (decoded.kind === 'header' && decoded.byteCount > input.length) {
        throw new RangeError('a header that is longer than its bytes')
      }
    },
    isRefusal: () => false,
  }),
  valueTarget({
    name: 'Service objects',
    share: 15,
    samples: [serviceSample, serviceJson(1) as JsonValue],
    decode: (input) => void decodeResource('Service', input, pool),
    isRefusal: isDecodeError,
  }),
  valueTarget({
    name: 'EndpointSlice objects',
    share: 15,
    samples: [richSlice],
    decode: (input) => void decodeResource('EndpointSlice', input, pool),
    isRefusal: isDecodeError,
  }),
  valueTarget({
    name: 'Node objects',
    share: 10,
    samples: [nodeSample],
    decode: (input) => void decodeResource('Node', input, pool),
    isRefusal: isDecodeError,
  }),
  textTarget({
    name: 'manifest files',
    share: 5,
    samples: [example('web.yaml'), example('web-endpoints.yaml'), JSON.stringify(serviceSample)],
    decode: (input) => void parseManifest('fuzz.yaml', input, pool),
    isRefusal: isManifestError,
  }),
  textTarget({
    name: 'configuration files',
    share: 5,
    samples: [configurationSample],
    decode: (input) => void parseProxyConfiguration(input, 'fuzz.yaml'),
    isRefusal: isDecodeError,
  }),
]

/** Targets that must be found out: they show that the harness can fail. */
export const canaryTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'a decoder that trusts a length',
    share: 0,
    samples: [Uint8Array.of(4, 1, 2, 3, 4)],
    decode: (input) => {
      const [length = 0, ...rest] = input
      if (length > 100 && rest.length > 0) throw new RangeError('offset is out of bounds')
    },
    isRefusal: isDecodeError,
  }),
  textTarget({
    name: 'a decoder that hangs',
    share: 0,
    samples: ['a=1;b=2'],
    decode: (input) => {
      // What the real ones must never do: a cursor that does not move on.
      while (input.startsWith('a=1;b=2;') || /^a=[^1]/.test(input));
    },
    isRefusal: isDecodeError,
  }),
]

/** The target with this name. Throws when there is none. */
export function findTarget(name: string): FuzzTarget {
  const known = [...fuzzTargets, ...canaryTargets]
  const target = known.find((candidate) => candidate.name === name)
  if (target !== undefined) return target
  const names = known.map((candidate) => `"${candidate.name}"`).join(', ')
  throw new Error(`fuzz: no target named "${name}", expected one of ${names}`)
}
