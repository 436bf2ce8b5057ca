import type { Expression } from '../netlink/nftables/expressions.ts'
import type { TableFamily } from '../netlink/nftables/objects.ts'
import * as nft from '../ruleset/statements.ts'

/** Parts of rules that only this mode has. */

/** `ct original ip daddr . meta l4proto . ct original proto-dst`: NFT_CT_DST_IP 20, NFT_CT_DST_IP6 22,
 *  NFT_CT_PROTO_DST 12; direction 0. What the client connected to, before IPVS rewrote it. */
export function originalFrontendParts(family: TableFamily): readonly Expression[] {
  const next = nft.firstRegister + nft.addressWords(family)
  return [
    { name: 'ct', data: { dreg: nft.firstRegister, key: family === 'ip' ? 20 : 22, direction: 0 } },
    nft.loadProtocol(next),
    { name: 'ct', data: { dreg: next + 1, key: 12, direction: 0 } },
  ]
}

/** `meta mark set KEY map @map`; the key must be loaded. */
export function markFromMap(map: string): readonly Expression[] {
  return [nft.lookup(map, nft.firstRegister, nft.firstRegister), nft.storeMark()]
}

/** `meta mark set meta mark & ~BIT`. */
export function clearMarkBit(bit: number): readonly Expression[] {
  return [
    nft.loadMark(),
    nft.maskAndXor(nft.hostWord(~bit >>> 0), nft.hostWord(0)),
    nft.storeMark(),
  ]
}

/** `ct state new` negated: NFT_CT_STATE 0; the bit of IP_CT_NEW is 8. */
export function isNotNew(): readonly Expression[] {
  return [
    { name: 'ct', data: { dreg: nft.firstRegister, key: 0 } },
    nft.maskAndXor(nft.hostWord(8), nft.hostWord(0)),
    nft.compare('==', nft.hostWord(0)),
  ]
}
