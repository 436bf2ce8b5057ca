import type { EndpointSlice, Service } from '../../kube/resources.ts'
import type { ZoneQuestion, ZoneView } from './answer-question.ts'
import { isExposed } from './find-hosts.ts'
import { readQueryName, type ServiceQuery } from './query-name.ts'
import { addressOfReverseName } from './reverse-name.ts'

/** What a name is looked up as, the objects that decide about it, and the rule that applies: for people who
 *  wonder about an answer. */
export function describeName(view: ZoneView, { key, zoneKey }: ZoneQuestion): readonly string[] {
  const address = addressOfReverseName(key)
  if (address !== undefined) return describeAddress(view, address)
  const query = readQueryName(key, zoneKey)
  switch (query.kind) {
    case 'node':
      return [`${key} is a node of the zone ${zoneKey}, which has no records of its own here`]
    case 'invalid':
      return [`${key} is not of the form [ENDPOINT.]SERVICE.NAMESPACE.svc or ADDRESS.NAMESPACE.pod`]
    case 'namespace':
      return [describeNamespace(view, query.namespace)]
    case 'pod': {
      const pods = `pods ${view.settings.pods}: the name stands for the address in it`
      return [describeNamespace(view, query.namespace), pods]
    }
    case 'service':
      return [describeNamespace(view, query.namespace), ...describeService(view, query)]
  }
}

function describeNamespace({ names, settings }: ZoneView, namespace: string): string {
  if (isExposed(names, settings, namespace)) return `namespace ${namespace} is served`
  return names.hasNamespace(namespace)
    ? `namespace ${namespace} is left out by the directive`
    : `there is no namespace ${namespace}`
}

function describeService({ names, settings }: ZoneView, query: ServiceQuery): string[] {
  const service = names.service(query.namespace, query.service)
  if (service === undefined) return [`there is no Service ${query.namespace}/${query.service}`]
  const lines = [`Service ${service.namespace}/${service.name}: ${ruleOf(service, query)}`]
  if (query.port !== '' || query.protocol !== '') {
    lines.push(`only ports named ${query.port || 'anything'}, protocol ${query.protocol || 'any'}`)
  }
  if (!service.isHeadless && query.endpoint === '' && !settings.ignoresEmptyService) return lines
  if (!settings.hasEndpoints) return [...lines, 'noendpoints: endpoints are not watched']
  return [...lines, ...[...names.slicesOf(service)].map(describeSlice)]
}

function ruleOf(service: Service, query: ServiceQuery): string {
  if (service.type === 'ExternalName') return `an alias of ${service.externalName}`
  if (query.endpoint !== '') return `the endpoint that is called ${query.endpoint}`
  if (service.isHeadless) return 'headless, so it stands for its ready endpoints'
  return `cluster address ${service.clusterIPs.join(', ')}`
}

function describeSlice(slice: EndpointSlice): string {
  const ready = slice.endpoints.filter(({ state }) => state.isReady).length
  return `EndpointSlice ${slice.namespace}/${slice.name}: ${ready} of ${slice.endpoints.length} ready`
}

function describeAddress({ names }: ZoneView, address: string): string[] {
  const services = names
    .servicesAt(address)
    .map(({ namespace, name }) => `${address} is a cluster address of Service ${namespace}/${name}`)
  const slices = names
    .slicesAt(address)
    .map(
      ({ namespace, name }) =>
        `${address} is a ready endpoint of EndpointSlice ${namespace}/${name}`,
    )
  const found = [...services, ...slices]
  return found.length === 0 ? [`${address} is no address of a service or a ready endpoint`] : found
}
