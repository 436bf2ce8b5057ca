import { clusterAddress, generatedNamespace } from '../support/generate-cluster.ts'

/** Names outside of the cluster that queries are asked for; the upstream knows all. */
export const upstreamNames: readonly string[] = Array.from(
  { length: 1_000 },
  (_, index) => `host-${index}.example.com`,
)

/** The search path of a pod with `ndots: 5`. */
const searchPath = [
  `${generatedNamespace}.svc.cluster.local`,
  'svc.cluster.local',
  'cluster.local',
  'nodes.example.net',
] as const

/** Queries for every service: the lines of a dnsperf file. */
export function clusterQueries(services: number): string {
  return lines(services, (index) => `${serviceName(index)} A`)
}

/** What a pod asks for a name outside: A and AAAA for each of four suffixes that lead nowhere, then the
 *  name itself. */
export function searchPathQueries(): string {
  return upstreamNames
    .flatMap((name) => [...searchPath.map((suffix) => `${name}.${suffix}`), name])
    .flatMap((name) => [`${name} A`, `${name} AAAA`])
    .map((line) => `${line}\n`)
    .join('')
}

/** Names that are in the cache after the first round. */
export function upstreamQueries(): string {
  return upstreamNames.map((name) => `${name} A\n`).join('')
}

/** Names that nobody asked for before. */
export function freshQueries(prefix: string, count: number): string {
  return lines(count, (index) => `${prefix}-${index}.example.org A`)
}

/** A zone file with the names and addresses of the same services. */
export function zoneRecords(services: number): string {
  const head = `$ORIGIN cluster.local.
$TTL 5
@ SOA ns.dns hostmaster 1 7200 1800 86400 5
@ NS ns.dns
ns.dns A 10.96.0.10
`
  return head + lines(services, (index) => `${serviceName(index)}. A ${clusterAddress(index)}`)
}

/** Names under this suffix do not exist; all others under example.com and example.org do. */
export const emptySuffix = 'nodes.example.net'

/** unbound: no defence that would keep it from asking an upstream for the cluster's names. */
export const resolverRecords = '  local-zone: "cluster.local." static'

function serviceName(index: number): string {
  return `service-${index}.${generatedNamespace}.svc.cluster.local`
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('')
}
