import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createDecodePool } from '../../src/kube/decode-pool.ts'
import { decodeResource } from '../../src/kube/decode-resource.ts'
import type { EndpointSlice, Node, Service } from '../../src/kube/resources.ts'
import { parseAddress } from '../../src/net/address.ts'
import { type Prefix, parsePrefix } from '../../src/net/prefix.ts'
import { resolveNodeSettings } from '../../src/proxy/config/node-settings.ts'
import { parseProxyConfiguration } from '../../src/proxy/config/parse-proxy-configuration.ts'
import { resolveProxyOptions } from '../../src/proxy/config/proxy-options.ts'
import type { PlanContext } from '../../src/proxy/plan/plan-context.ts'

/** One recorded watch event, decoded. */
export interface ScenarioEvent {
  readonly type: 'set' | 'delete'
  readonly object: Service | EndpointSlice
}

/** One step: what changed, and the folder with what the original made of it. */
export interface ScenarioStep {
  readonly name: string
  readonly directory: string
  readonly events: readonly ScenarioEvent[]
}

/** A recorded scenario: a node, its configuration, and what happened to the cluster. */
export interface Scenario {
  readonly name: string
  readonly nodeName: string
  readonly context: PlanContext
  /** Addresses of this node, without loopback. */
  readonly localAddresses: readonly string[]
  readonly nodes: readonly Node[]
  readonly clusterPrefixes: readonly Prefix[]
  readonly servicePrefixes: readonly Prefix[]
  readonly steps: readonly ScenarioStep[]
}

interface ScenarioFile {
  readonly name?: string
  readonly node: string
  readonly nodeAddresses: readonly string[]
  readonly clusterCIDRs: readonly string[]
  readonly serviceCIDRs: readonly string[]
  readonly config: unknown
}

/** Whether a folder is one scenario; a folder of scenarios has no scenario.json of its own. */
export function isScenario(directory: string): boolean {
  return readdirSync(directory).includes('scenario.json')
}

/** Reads a scenario. Throws when a file is missing, is no JSON, or holds an object that does not decode. */
export function loadScenario(directory: string): Scenario {
  const source = join(directory, 'scenario.json')
  const file = readJson(source) as ScenarioFile
  const pool = createDecodePool()
  const nodes = listOf(readJson(join(directory, 'nodes.json'))).map((value) =>
    decodeResource('Node', value, pool),
  )
  const node = nodes.find(({ name }) => name === file.node)
  // "172.29.0.0/24 (management)" is a network beside the node, not an address of it.
  const localAddresses = file.nodeAddresses.flatMap((text) => parseAddress(text)?.text ?? [])
  const servicePrefixes = prefixesOf(file.serviceCIDRs)
  const configuration = parseProxyConfiguration(JSON.stringify(file.config), source)
  const options = resolveProxyOptions(configuration, file.node)
  const { plan, identity } = resolveNodeSettings(options, node, localAddresses, file.serviceCIDRs)
  return {
    name: file.name ?? basename(directory),
    nodeName: file.node,
    context: { identity, node: plan },
    localAddresses,
    nodes,
    clusterPrefixes: prefixesOf(file.clusterCIDRs),
    servicePrefixes,
    steps: readdirSync(directory)
      .filter((name) => /^[0-9]+$/.test(name))
      .sort((left, right) => Number(left) - Number(right))
      .map((name) => loadStep(join(directory, name), name)),
  }
}

function loadStep(directory: string, name: string): ScenarioStep {
  const pool = createDecodePool()
  const events = listOf(readJson(join(directory, 'events.json'))).map((value): ScenarioEvent => {
    const { type, object } = value as { type: string; object: { kind: string } }
    const kind = object.kind === 'Service' ? 'Service' : 'EndpointSlice'
    return {
      type: type === 'DELETED' ? 'delete' : 'set',
      object: decodeResource(kind, object, pool),
    }
  })
  return { name, directory, events }
}

function prefixesOf(texts: readonly string[]): readonly Prefix[] {
  return texts.flatMap((text) => parsePrefix(text) ?? [])
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : ((value as { items: readonly unknown[] }).items ?? [])
}
