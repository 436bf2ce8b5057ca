import { hash as digest } from 'node:crypto'
import type { Protocol } from '../../net/protocol.ts'
import { formatBackend } from '../port/verdict.ts'

/** A service port, as chains are named after it. */
export interface PortIdentity {
  /** `namespace/name`. */
  readonly service: string
  readonly portName: string
  readonly protocol: Protocol
}

/** Chains that one service port can have: balance over all endpoints, over those of this node, entry for
 *  external addresses and node ports, source ranges. */
export type PortChain = 'SVC' | 'SVL' | 'EXT' | 'FW'

/** The chain of a service port, with the hash that kube-proxy gives it: `KUBE-SVC-ERIFXISQEP7F7OF4`. */
export function portChainName(kind: PortChain, identity: PortIdentity): string {
  return `KUBE-${kind}-${hash(portTitle(identity) + identity.protocol.toLowerCase())}`
}

/** The chain of one endpoint of a service port. */
export function endpointChainName(identity: PortIdentity, address: string, port: number): string {
  const text = portTitle(identity) + identity.protocol.toLowerCase() + formatBackend(address, port)
  return `KUBE-SEP-${hash(text)}`
}

/** `namespace/name:port`, or `namespace/name` for a port without a name. */
export function portTitle({ service, portName }: Omit<PortIdentity, 'protocol'>): string {
  return portName === '' ? service : `${service}:${portName}`
}

/** 16 characters that stand for a text: the first 80 bits of its SHA-256 in base 32 (RFC 4648). Names of
 *  chains can have 28. */
export function hash(text: string): string {
  const bytes = digest('sha256', text, 'buffer')
  let name = ''
  for (let letter = 0; letter < 16; letter++) {
    // Letter n stands for the five bits from 5n on, which lie in at most two bytes.
    const first = (5 * letter) >> 3
    const pair = ((bytes[first] ?? 0) << 8) | (bytes[first + 1] ?? 0)
    name += alphabet[(pair >> (11 - ((5 * letter) & 7))) & 31]
  }
  return name
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const constantNames: ReadonlySet<string> = new Set([
  'KUBE-SERVICES',
  'KUBE-NODEPORTS',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-EXTERNAL-PORTS',
  'KUBE-PROXY-FIREWALL',
  'KUBE-FORWARD',
  'KUBE-POSTROUTING',
  'KUBE-MARK-MASQ',
  'KUBE-MARK-OTHERS',
  // By its absence kube-proxy notices that somebody has flushed the tables; we are told.
  'KUBE-PROXY-CANARY',
])

const ownPrefix = /^KUBE-(?:SVC|SVL|EXT|FW|SEP|IP|XIP|FIP|NP|XNP|HNP)-/

/** Whether a chain belongs to a service proxy: kube-proxy's names and ours. Chains of the kubelet
 *  (KUBE-FIREWALL, the hints and canaries) do not. */
export function isOwnChain(name: string): boolean {
  return constantNames.has(name) || ownPrefix.test(name)
}

const oursAlone = /^KUBE-(?:(?:IP|XIP|FIP|NP|XNP|HNP)-|EXTERNAL-PORTS$|MARK-OTHERS$)/

/** Whether a chain is one that kube-proxy never has. */
export function isChainOfOursAlone(name: string): boolean {
  return oursAlone.test(name)
}
