import * as assert from 'uvu/assert'
import { familyOf } from '../../src/net/address.ts'
import type { Answers } from '../e2e/peers/requests.ts'
import type { LabMode } from './lab-mode.ts'
import { labAddresses } from './lab-topology.ts'

/** Asserts that servers saw the client's own address, or one of the node's where the mode hides clients. */
export function assertClientSeen(
  { limits }: LabMode,
  { sources, failures }: Answers,
  client: string,
  message?: string,
): void {
  assert.equal(failures, {}, message)
  const { node, podGateway } = labAddresses[familyOf(client)]
  const expected: readonly string[] = limits?.hidesClients === true ? [node, podGateway] : [client]
  for (const seen of Object.keys(sources)) {
    assert.ok(expected.includes(seen), `${message ?? client}: servers saw ${seen}`)
  }
}
