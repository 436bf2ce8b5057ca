import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createDecodePool, type DecodePool } from '../../../src/kube/decode-pool.ts'
import { decodeResource } from '../../../src/kube/decode-resource.ts'
import { asJsonObject } from '../../../src/kube/json-fields.ts'
import type { EndpointSlice, Namespace, Pod, Service } from '../../../src/kube/resources.ts'

/** A recorded scenario: a Corefile, a zone that the upstream served, and steps of a cluster. */
export interface DnsScenario {
  readonly name: string
  readonly corefile: string
  /** Text of the zone; empty when there is no file. */
  readonly upstreamZone: string
  readonly steps: readonly DnsStep[]
}

/** The objects at one step, and what CoreDNS answered to questions about them. */
export interface DnsStep {
  readonly name: string
  readonly objects: DnsObjects
  readonly exchanges: readonly Exchange[]
}

/** The objects that names are made from. */
export interface DnsObjects {
  readonly services: readonly Service[]
  readonly slices: readonly EndpointSlice[]
  readonly namespaces: readonly Namespace[]
  readonly pods: readonly Pod[]
}

/** One recorded query with its answer; members as in the files. */
export interface Exchange {
  readonly q: RecordedQuery
  readonly a: RecordedAnswer | { readonly timeout: unknown } | 'timeout'
}

/** A recorded query. */
export interface RecordedQuery {
  /** Without final dot. */
  readonly name: string
  readonly type: string
  readonly class?: string
  readonly edns?: number
  readonly do?: boolean
  readonly rd?: boolean
  readonly cd?: boolean
  readonly tcp?: boolean
  readonly from?: string
}

/** A recorded answer. */
export interface RecordedAnswer {
  readonly rcode: string
  readonly aa: boolean
  readonly tc: boolean
  readonly rd: boolean
  readonly ra: boolean
  readonly ad: boolean
  readonly cd: boolean
  readonly answers: readonly RecordedRecord[]
  readonly authorities: readonly RecordedRecord[]
  readonly additionals: readonly RecordedRecord[]
}

/** A recorded record, or an OPT record with members of its own. */
export interface RecordedRecord {
  readonly name?: string
  readonly type: string
  readonly class?: string
  readonly ttl?: number
  readonly data?: unknown
  readonly udpPayloadSize?: number
  readonly do?: boolean
  readonly options?: readonly { readonly code: number; readonly data: string }[]
}

/** Whether a folder is one scenario. */
export function isDnsScenario(directory: string): boolean {
  return existsSync(join(directory, 'Corefile'))
}

/** Reads a scenario. Throws when a file is missing or an object cannot be decoded. */
export function loadDnsScenario(directory: string): DnsScenario {
  const zoneFile = join(directory, 'upstream.zone')
  const pool = createDecodePool({ keepsPodNames: true })
  const steps = readdirSync(directory)
    .filter((name) => /^[0-9]+$/.test(name))
    .sort()
    .map((name) => loadStep(join(directory, name), pool))
  return {
    name: basename(directory),
    corefile: readFileSync(join(directory, 'Corefile'), 'utf8'),
    upstreamZone: existsSync(zoneFile) ? readFileSync(zoneFile, 'utf8') : '',
    steps,
  }
}

function loadStep(directory: string, pool: DecodePool): DnsStep {
  const objects = readJson(join(directory, 'objects.json')) as readonly unknown[]
  const of = (kind: string): readonly unknown[] =>
    objects.filter((object) => asJsonObject(object)?.kind === kind)
  return {
    name: basename(directory),
    objects: {
      services: of('Service').map((value) => decodeResource('Service', value, pool)),
      slices: of('EndpointSlice').map((value) => decodeResource('EndpointSlice', value, pool)),
      namespaces: of('Namespace').map((value) => decodeResource('Namespace', value, pool)),
      pods: of('Pod').map((value) => decodeResource('Pod', value, pool)),
    },
    exchanges: readJson(join(directory, 'answers.json')) as readonly Exchange[],
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
