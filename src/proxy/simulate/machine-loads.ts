import { protocolNumber } from '../../net/protocol.ts'
import type { Decoded } from '../../netlink/attribute-kinds.ts'
import type { expressions } from '../../netlink/nftables/expressions.ts'
import type { RuleRun } from './machine-step.ts'

type Operands<N extends keyof typeof expressions> = Decoded<(typeof expressions)[N]>

/** Bytes of a network interface's name in a register (IFNAMSIZ), zero padded. */
const interfaceNameBytes = 16

/** Loads header bytes; false when the packet is too short, which ends the rule. */
export function loadPayload(operands: Operands<'payload'>, run: RuleRun): boolean {
  const { packet } = run.scene
  if (operands.sreg !== undefined) throw new Error('the machine does not know writes to the packet')
  if (operands.base !== 1 && operands.base !== 2) {
    throw new Error(`base ${operands.base}: expected 1 (network header) or 2 (transport header)`)
  }
  const header = operands.base === 1 ? packet.network : packet.transport
  const { offset = 0, len = 0 } = operands
  if (len < 1 || offset + len > header.length) return false
  run.registers.write(operands.dreg, header.slice(offset, offset + len))
  return true
}

/** enum nft_meta_keys, include/uapi/linux/netfilter/nf_tables.h */
const metaKeys = { mark: 3, iifname: 6, nfproto: 15, l4proto: 16 } as const

/** Loads what is known about the packet beside its bytes. */
export function loadMeta(operands: Operands<'meta'>, run: RuleRun): void {
  const { flow } = run.scene.packet
  const { registers } = run
  switch (operands.key) {
    case metaKeys.mark:
      registers.writeHost(operands.dreg, run.thread.mark)
      return
    case metaKeys.iifname:
      registers.write(operands.dreg, inputInterface(run).padEnd(interfaceNameBytes, '\0'))
      return
    case metaKeys.nfproto:
      registers.write(operands.dreg, String.fromCharCode(flow.family === 4 ? 2 : 10))
      return
    case metaKeys.l4proto:
      registers.write(operands.dreg, String.fromCharCode(protocolNumber(flow.protocol)))
      return
    default:
      throw new Error(`the machine does not know meta key ${operands.key}`)
  }
}

/** Sets the mark; nothing else of a packet can be set by our programs. */
export function storeMeta(operands: Operands<'meta'>, run: RuleRun): void {
  if (operands.key !== metaKeys.mark) {
    throw new Error(`the machine does not know how to set meta key ${operands.key}`)
  }
  run.thread = { ...run.thread, mark: run.registers.readHost(operands.sreg) }
}

/** NF_CT_STATE_BIT(IP_CT_NEW): nat chains, and so our programs, see the first packet of a flow. */
const stateNew = 8

/** IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h. */
const statusDnat = 1 << 5

/** Loads the state of the connection, always new (NFT_CT_STATE, 0), or its status, of which only the
 *  translation of the destination is known (NFT_CT_STATUS, 2). */
export function loadConntrack(operands: Operands<'ct'>, run: RuleRun): void {
  if ((operands.key !== 0 && operands.key !== 2) || operands.sreg !== undefined) {
    throw new Error(`the machine does not know ct key ${operands.key}`)
  }
  const status = run.scene.isRedirected ? statusDnat : 0
  run.registers.writeHost(operands.dreg, operands.key === 0 ? stateNew : status)
}

/** RTN_* of linux/rtnetlink.h. */
const addressTypes = { unicast: 1, local: 2, broadcast: 3, multicast: 5 } as const

/** Loads the type of the source or destination address (NFT_FIB_RESULT_ADDRTYPE). */
export function loadFib(operands: Operands<'fib'>, run: RuleRun): void {
  const { packet, localAddresses } = run.scene
  if (operands.result !== 3)
    throw new Error(`the machine does not know fib result ${operands.result}`)
  if (operands.flags !== 1 && operands.flags !== 2) {
    throw new Error(`fib flags ${operands.flags}: expected 1 (source) or 2 (destination)`)
  }
  const address = operands.flags === 1 ? packet.flow.source : packet.destination
  run.registers.writeHost(operands.dreg, addressTypes[addressType(address, localAddresses)])
}

/** Whether the node itself receives what is sent there: its own addresses and loopback. */
export function isLocalAddress(address: string, own: ReadonlySet<string>): boolean {
  return own.has(address) || address.startsWith('127.') || address === '::1'
}

function addressType(address: string, own: ReadonlySet<string>): keyof typeof addressTypes {
  if (isLocalAddress(address, own)) return 'local'
  if (address === '255.255.255.255') return 'broadcast'
  if (/^(22[4-9]|23[0-9])\./.test(address) || /^ff[0-9a-f]{2}:/.test(address)) return 'multicast'
  return 'unicast'
}

/** Name of the input interface; the kernel gives an empty name where there is none. */
function inputInterface(run: RuleRun): string {
  const { hook, packet } = run.scene
  const isLeaving = hook.hook === 'output' || hook.hook === 'postrouting'
  const name = isLeaving ? '' : (packet.flow.inputInterface ?? '')
  if (name.length >= interfaceNameBytes) throw new Error(`interface name ${name} is too long`)
  return name
}
