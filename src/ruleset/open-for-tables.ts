import { NetlinkError } from '../netlink/netlink-error.ts'
import type { NftablesBatch } from '../netlink/nftables/batch.ts'
import { NftablesConnection } from '../netlink/nftables/connection.ts'
import type { Expression } from '../netlink/nftables/expressions.ts'
import * as nft from './statements.ts'

/** Opens a connection for tables of ours. Throws an error that names the modules that the kernel neither has
 *  nor can load, and a NetlinkError without CAP_NET_ADMIN; writes nothing. */
export function openForTables(): NftablesConnection {
  const connection = NftablesConnection.open()
  try {
    const missing = missingModules(connection)
    if (missing.length === 0) return connection
    throw new Error(
      `this kernel lacks ${missing.join(', ')}, or may not load it: modprobe ${missing.join(' ')}, ` +
        'or use a kernel that has it',
    )
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Names the kernel's modules that tables of ours need and that it neither has nor can load. Everything is
 *  offered to the kernel in one transaction that must fail, so nothing is ever written. Throws a
 *  NetlinkError without CAP_NET_ADMIN. */
export function missingModules(connection: NftablesConnection): readonly string[] {
  const batch = connection.newBatch()
  const probes = offer(batch)
  batch.deleteTable('ip', absentTable)
  const failures = refusals(connection, batch)
  if (failures.some(({ errno }) => errno === permission)) {
    throw new NetlinkError('nftables', failures as NetlinkError['failures'])
  }
  // Without nf_tables nothing is looked at, the last operation neither.
  if (failures.every(({ errno }) => errno !== noEntry)) return ['nf_tables']
  return probes.filter((module) => failures.some(({ operation }) => operation.includes(module)))
}

/** The table of the offer, and one that is nowhere: deleting it fails, and all else with it. */
const probeTable = 'portolan-probe'
const absentTable = 'portolan-probe-end'

/** Where IPv4 can be served, the other family's modules are there too: they are built together. */
const family = 'ip'

/** EPERM and ENOENT. */
const permission = 1
const noEntry = 2

/** Adds what needs a module each, in a chain with the module's name. */
function offer(batch: NftablesBatch): readonly string[] {
  const [address, port] = [nft.firstRegister, nft.firstRegister + nft.addressWords(family)]
  const rules: Readonly<Record<string, readonly Expression[]>> = {
    nft_numgen: [nft.drawSlot(2, nft.firstRegister)],
    nft_fib_ipv4: nft.destinationIsLocal(),
    nft_reject_ipv4: [nft.rejectUnreachable(family)],
    nft_masq: [nft.masquerade()],
    nft_nat: [
      nft.loadDestination(family, address),
      nft.loadDestinationPort(port),
      nft.translateDestination(family, address, port),
    ],
  }
  batch.addTable({ family, name: probeTable })
  batch.addChain(family, probeTable, {
    name: 'nft_chain_nat',
    hook: { type: 'nat', hook: 'prerouting', priority: -100 },
  })
  for (const [chain, expressions] of Object.entries(rules)) {
    batch.addChain(family, probeTable, { name: chain })
    batch.addRule(family, probeTable, { chain, expressions })
  }
  return ['nft_chain_nat', ...Object.keys(rules)]
}

function refusals(
  connection: NftablesConnection,
  batch: NftablesBatch,
): readonly NetlinkError['failures'][number][] {
  try {
    connection.commit(batch)
  } catch (error) {
    if (error instanceof NetlinkError) return error.failures
    throw error
  }
  throw new Error(`nftables: a table "${absentTable}" was there to delete`)
}
