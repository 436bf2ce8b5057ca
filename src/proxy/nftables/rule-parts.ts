import type { Expression } from '../../netlink/nftables/expressions.ts'
import * as nft from '../../ruleset/statements.ts'
import { type FamilyLayout, savedMarkRegister } from './family-layout.ts'

/** A map from frontends to pools and the registers that a rule over it uses. */
export interface FrontendMap {
  readonly name: string
  /** Expressions that come first and end the rule when they do not hold (node-port addresses). */
  readonly guard: readonly Expression[]
  /** Loads the key into the first registers. */
  readonly key: readonly Expression[]
  /** Register of the pool; slot number or client address follow it. It lies behind the key and behind
   *  the address and port of a backend, which both start at the first register. */
  readonly pool: number
}

/** `ip daddr . meta l4proto . th dport`. */
export function frontendKeyParts(layout: FamilyLayout): readonly Expression[] {
  const words = layout.addressBytes / 4
  return [
    nft.loadDestination(layout.table),
    nft.loadProtocol(nft.firstRegister + words),
    nft.loadDestinationPort(nft.firstRegister + words + 1),
  ]
}

/** `meta l4proto . th dport`. */
export function nodePortKeyParts(): readonly Expression[] {
  return [nft.loadProtocol(nft.firstRegister), nft.loadDestinationPort(nft.firstRegister + 1)]
}

/** A map keyed by address, protocol and port. */
export function addressMap(layout: FamilyLayout, name: string): FrontendMap {
  const pool = nft.firstRegister + layout.addressBytes / 4 + 2
  return { name, guard: [], key: frontendKeyParts(layout), pool }
}

/** A map keyed by protocol and port, for destinations that pass the guard. */
export function nodePortMap(
  layout: FamilyLayout,
  name: string,
  guard: readonly Expression[],
): FrontendMap {
  const pool = nft.firstRegister + layout.addressBytes / 4 + 1
  return { name, guard, key: nodePortKeyParts(), pool }
}

/** Goes to the chain of the flow's pool: frontend to pool, pool to kind, kind to chain. */
export function dispatch(map: FrontendMap, kinds: string): readonly Expression[] {
  return [
    ...findPool(map),
    nft.lookup('pools', map.pool, map.pool),
    ...throughMark(map.pool),
    nft.lookupVerdict(kinds, map.pool),
  ]
}

/** Draws a slot and sends the flow there; an empty slot ends the rule, and the next one draws again. */
export function balance(
  layout: FamilyLayout,
  map: FrontendMap,
  slotCount: number,
): readonly Expression[] {
  return [
    ...findPool(map),
    nft.drawSlot(slotCount, map.pool + 1),
    nft.lookup('slots', map.pool, nft.firstRegister),
    sendToBackend(layout),
  ]
}

/** Sends a client to the endpoint that it has had, if that is still in the pool, and renews the entry. */
export function recall(
  layout: FamilyLayout,
  map: FrontendMap,
  seconds: number,
): readonly Expression[] {
  const endpoint = endpointRegister(layout, map)
  return [
    ...findPool(map),
    nft.loadSource(layout.table, map.pool + 1),
    nft.lookup('affinity', map.pool, endpoint),
    ...endpointThroughMark(endpoint, map.pool + 1),
    nft.lookup('endpoints', map.pool, nft.firstRegister),
    nft.loadSource(layout.table, map.pool + 1),
    writeAffinity('update', map.pool, endpoint, seconds),
    sendToBackend(layout),
  ]
}

/** Draws an endpoint for a client and remembers it. An update does not replace the value of an entry
 *  that is there, hence the delete before it. */
export function choose(
  layout: FamilyLayout,
  map: FrontendMap,
  slotCount: number,
  seconds: number,
): readonly Expression[] {
  const endpoint = endpointRegister(layout, map)
  return [
    ...findPool(map),
    nft.drawSlot(slotCount, map.pool + 1),
    nft.lookup('sticky-slots', map.pool, endpoint),
    ...endpointThroughMark(endpoint, map.pool + 1),
    nft.lookup('endpoints', map.pool, nft.firstRegister),
    nft.loadSource(layout.table, map.pool + 1),
    writeAffinity('delete', map.pool, endpoint, seconds),
    writeAffinity('update', map.pool, endpoint, seconds),
    sendToBackend(layout),
  ]
}

function findPool(map: FrontendMap): readonly Expression[] {
  return [
    ...map.guard,
    ...map.key,
    nft.loadMark(savedMarkRegister),
    nft.lookup(map.name, nft.firstRegister, map.pool),
    ...throughMark(map.pool),
  ]
}

/** Passes a looked-up number through the mark and restores the mark at once. Only so does `nft list`
 *  learn the number's type; a result that goes straight into the next key makes nft 1.0.6 abort. */
function throughMark(register: number): readonly Expression[] {
  return [nft.storeMark(register), nft.loadMark(register), nft.storeMark(savedMarkRegister)]
}

function endpointThroughMark(endpoint: number, keyRegister: number): readonly Expression[] {
  return [
    nft.storeMark(endpoint),
    nft.loadMark(keyRegister),
    nft.loadMark(endpoint),
    nft.storeMark(savedMarkRegister),
  ]
}

/** The endpoint's number lies behind the pool and the client's address. */
function endpointRegister(layout: FamilyLayout, map: FrontendMap): number {
  return map.pool + 1 + layout.addressBytes / 4
}

function sendToBackend(layout: FamilyLayout): Expression {
  return nft.translateDestination(
    layout.table,
    nft.firstRegister,
    nft.firstRegister + layout.addressBytes / 4,
  )
}

/** dynset on the map `affinity`: NFT_DYNSET_OP_UPDATE 1, NFT_DYNSET_OP_DELETE 2; milliseconds. */
function writeAffinity(
  operation: 'update' | 'delete',
  key: number,
  endpoint: number,
  seconds: number,
): Expression {
  const base = { setName: 'affinity', sregKey: key, sregData: endpoint }
  return {
    name: 'dynset',
    data:
      operation === 'delete'
        ? { ...base, op: 2 }
        : { ...base, op: 1, timeout: BigInt(seconds) * 1000n },
  }
}
