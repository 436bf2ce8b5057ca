import type { Endpoint, EndpointSlice, EndpointState, ServicePort } from '../../kube/resources.ts'
import { type Family, familyOf } from '../../net/address.ts'
import type { Backend } from './plan.ts'

/** The state of an endpoint of one service port, with the backend that it would be. */
export interface Candidate {
  readonly state: EndpointState
  readonly backend: Backend
}

/** All endpoints of a service port in one family, sorted by address text and port, each address and port
 *  once. A slice port belongs to the service port with the same name and protocol; one without a number
 *  or with number 0 is ignored. Of an endpoint only the first address counts. Addresses are not judged
 *  further: the API server refuses loopback and link-local ones, and kube-proxy relies on it.
 *  `slices` must be in a fixed order (by name), which decides between duplicates. */
export function serviceEndpoints(
  port: ServicePort,
  family: Family,
  slices: readonly EndpointSlice[],
  nodeName: string,
): readonly Candidate[] {
  const found: Candidate[] = []
  const addressType = family === 4 ? 'IPv4' : 'IPv6'
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol) continue
      if (slicePort.port === undefined || slicePort.port === 0) continue
      addCandidates(found, slice.endpoints, slicePort.port, family, nodeName)
    }
  }
  return isStrictlySorted(found) ? found : mergeDuplicates(found.sort(compareCandidates))
}

function addCandidates(
  found: Candidate[],
  endpoints: readonly Endpoint[],
  port: number,
  family: Family,
  nodeName: string,
): void {
  for (const endpoint of endpoints) {
    const { address, state } = endpoint
    if (familyOf(address) !== family) continue
    const isLocal = nodeName !== '' && state.nodeName === nodeName
    found.push({ state, backend: { address, port, isLocal } })
  }
}

function isStrictlySorted(candidates: readonly Candidate[]): boolean {
  for (let index = 1; index < candidates.length; index++) {
    const left = candidates[index - 1]
    const right = candidates[index]
    if (left && right && compareCandidates(left, right) >= 0) return false
  }
  return true
}

function compareCandidates(left: Candidate, right: Candidate): number {
  if (left.backend.address < right.backend.address) return -1
  if (left.backend.address > right.backend.address) return 1
  return left.backend.port - right.backend.port
}

/** An endpoint that moves between slices is in both for a moment, and an address can be given to a new pod
 *  while the old one still ends. What does not terminate wins, as in kube-proxy. Between equals kube-proxy
 *  goes by the order of a hash map, mostly that of arrival: a later one replaces what is there unless it
 *  terminates. Here the order is that of the slices' names, so that it does not depend on events. */
function mergeDuplicates(sorted: readonly Candidate[]): readonly Candidate[] {
  const merged: Candidate[] = []
  for (const candidate of sorted) {
    const last = merged.at(-1)
    if (last === undefined || compareCandidates(last, candidate) !== 0) merged.push(candidate)
    else if (!candidate.state.isTerminating) merged[merged.length - 1] = candidate
  }
  return merged
}
