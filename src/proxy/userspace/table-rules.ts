import { addressBytes, type Family, writeAddress } from '../../net/address.ts'
import { fromByteString } from '../../net/byte-string.ts'
import { protocolNumber } from '../../net/protocol.ts'
import type { Expression } from '../../netlink/nftables/expressions.ts'
import type { TableFamily } from '../../netlink/nftables/objects.ts'
import { portWord } from '../../ruleset/element-keys.ts'
import * as nft from '../../ruleset/statements.ts'
import type { FilledChain, TableStructure } from '../../ruleset/table-structure.ts'
import { endChains, unusedAddressRules } from '../filter/end-chains.ts'
import { filledChain, type RuleParts } from '../filter/filled-chain.ts'
import { frontendKeyParts } from '../filter/frontend-key-parts.ts'
import { nodePortGuard } from '../filter/node-port-guard.ts'
import { podMatches } from '../filter/pod-matches.ts'
import type { NodePlan, SourceClass } from '../plan/plan.ts'
import { type RelayPorts, relayedProtocols } from './relay-ports.ts'
import { returnMark } from './return-path.ts'
import { sourceClasses, tableSets } from './table-sets.ts'

/** Name of our table in both families. */
export const tableName = 'portolan-userspace'

/** The chain that leads flows of a class to their relay. */
export function relayChain(source: SourceClass): string {
  return `relay-${source}`
}

/** The table of a family without elements: it depends on the node's configuration and on where the relays
 *  listen. Undefined relays: none run, and new flows of services wait, which is to say their first packet is
 *  dropped until it is sent again. */
export function relayTable(
  family: Family,
  node: NodePlan,
  relays: RelayPorts | undefined,
): TableStructure {
  const table: TableFamily = family === 4 ? 'ip' : 'ip6'
  return {
    table: tableHeader(table),
    sets: tableSets(table),
    chains: [
      ...hookChains(table, family, node),
      ...(relays?.keepsClients === true ? [returningChain()] : []),
      ...sourceClasses.map((source) => classChain(table, family, node, source)),
      ...sourceClasses.map((source) => chainToRelay(table, source, relays)),
      filledChain(
        'no-service',
        undefined,
        [
          [nft.loadDestination(table), nft.lookupVerdict('cluster-addresses', nft.firstRegister)],
          'a map, so that a table that is being deleted refuses nothing',
        ],
        ...unusedAddressRules(family, node),
      ),
      ...endChains(family),
    ],
  }
}

/** What must stay of the table while connections in the names of clients go on, though nothing new is led here. */
export function returningTable(family: Family): TableStructure {
  return {
    table: tableHeader(family === 4 ? 'ip' : 'ip6'),
    sets: [],
    chains: [returningChain()],
  }
}

function tableHeader(family: TableFamily): TableStructure['table'] {
  const comment = 'leads services to the relays of portolan: changes by hand are undone'
  return { family, name: tableName, comment }
}

function hookChains(table: TableFamily, family: Family, node: NodePlan): FilledChain[] {
  const received = podMatches(family, node).map(
    (match): RuleParts => [[...match, nft.goto('from-pod')]],
  )
  // A local process can only be taken for a pod by its address: no interface brought its packet in.
  const sent = node.podDetector.kind === 'prefixes' ? received : []
  return [
    filledChain('prerouting', { type: 'nat', hook: 'prerouting', priority: -100 }, ...received, [
      [nft.goto('from-outside')],
    ]),
    filledChain('output', { type: 'nat', hook: 'output', priority: -100 }, ...sent, [
      [nft.goto('from-node')],
    ]),
    filledChain('input', { type: 'filter', hook: 'input', priority: 0 }, [
      [...frontendKeyParts(table), nft.lookup('relays'), ...wasNotLed(), nft.goto('refuse')],
      'relays serve only what this table leads to them',
    ]),
  ]
}

/** Name of the chain that is there when endpoints see clients. */
export const returningChainName = 'returning'

/** Answers of endpoints to clients whose addresses a relay uses. Before NAT, for the routing behind it. */
function returningChain(): FilledChain {
  return filledChain(returningChainName, { type: 'filter', hook: 'prerouting', priority: -150 }, [
    [...nft.ofTransparentSocket(), ...nft.setMarkBit(returnMark)],
    'delivered here by a routing rule of its own',
  ])
}

function classChain(
  table: TableFamily,
  family: Family,
  node: NodePlan,
  source: SourceClass,
): FilledChain {
  const key = frontendKeyParts(table)
  const nodePortKey = [nft.loadProtocol(), nft.loadDestinationPort(nft.firstRegister + 1)]
  return filledChain(
    `from-${source}`,
    undefined,
    [[...key, nft.lookup('restricted'), nft.jump('check-source')]],
    [[...key, nft.lookupVerdict(`frontends-${source}`, nft.firstRegister)]],
    [
      [
        ...nodePortGuard(family, node),
        ...nodePortKey,
        nft.lookupVerdict(`nodeports-${source}`, nft.firstRegister),
      ],
    ],
    [[nft.goto('no-service')]],
  )
}

function chainToRelay(
  table: TableFamily,
  source: SourceClass,
  relays: RelayPorts | undefined,
): FilledChain {
  if (relays === undefined) {
    return filledChain(relayChain(source), undefined, [[nft.drop()], 'no relay runs'])
  }
  const { address, ports } = relays
  const addressWords = new Uint8Array(addressBytes(table === 'ip' ? 4 : 6))
  writeAddress(addressWords, 0, address)
  const portRegister = nft.firstRegister + nft.addressWords(table)
  return filledChain(
    relayChain(source),
    undefined,
    ...relayedProtocols.map((protocol): RuleParts => {
      const port = fromByteString(portWord(ports[protocol][source])).subarray(0, 2)
      return [
        [
          nft.loadProtocol(),
          nft.compare('==', Uint8Array.of(protocolNumber(protocol))),
          setRegister(nft.firstRegister, addressWords),
          setRegister(portRegister, port),
          nft.translateDestination(table, nft.firstRegister, portRegister),
        ],
      ]
    }),
  )
}

function setRegister(dreg: number, value: Uint8Array): Expression {
  return { name: 'immediate', data: { dreg, data: { value } } }
}

/** `ct status & dnat == 0`: NFT_CT_STATUS 2, IPS_DST_NAT 32. */
function wasNotLed(): readonly Expression[] {
  return [
    { name: 'ct', data: { dreg: nft.firstRegister, key: 2 } },
    nft.maskAndXor(nft.hostWord(32), nft.hostWord(0)),
    nft.compare('==', nft.hostWord(0)),
  ]
}
