import { hash } from 'node:crypto'
import {
  addressesOf,
  type ClusterSize,
  clusterAddress,
  generatedNamespace,
} from '../support/generate-cluster.ts'

/** Services of one COMMIT: with many more, iptables-restore itself becomes slow. */
const servicesPerCommit = 50

/** The generated cluster as rules of one chain after the other, in the layout that kube-proxy writes: one
 *  dispatch rule per service in KUBE-SERVICES, a chain per service, a chain per endpoint. Input of
 *  `iptables-restore --noflush`; what leads to the services comes last. */
export function* linearLayout({
  services,
  endpoints,
  protocol = 'TCP',
}: ClusterSize): Generator<string> {
  const match = protocol.toLowerCase()
  yield commit(
    [':KUBE-MARK-MASQ - [0:0]', ':KUBE-POSTROUTING - [0:0]'],
    [
      '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
      '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
      '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" ' +
        '-j MASQUERADE --random-fully',
    ],
  )
  for (let first = 0; first < services; first += servicesPerCommit) {
    const chains: string[] = []
    const rules: string[] = []
    const end = Math.min(first + servicesPerCommit, services)
    for (let index = first; index < end; index++)
      addService({ chains, rules }, index, endpoints, match)
    yield commit(chains, rules)
  }
  const dispatch = Array.from(
    { length: services },
    (_, index) =>
      `-A KUBE-SERVICES -d ${clusterAddress(index)}/32 -p ${match} -m comment ` +
      `--comment "${title(index)} cluster IP" -m ${match} --dport 80 -j ${serviceChain(index)}`,
  )
  const portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
  yield commit(
    [':KUBE-SERVICES - [0:0]', ':KUBE-NODEPORTS - [0:0]'],
    [
      ...dispatch,
      '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the ' +
        'last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
      `-A PREROUTING ${portals}`,
      `-A OUTPUT ${portals}`,
      '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    ],
  )
}

function addService(
  { chains, rules }: { readonly chains: string[]; readonly rules: string[] },
  index: number,
  endpoints: number,
  match: string,
): void {
  const chain = serviceChain(index)
  chains.push(`:${chain} - [0:0]`)
  for (const [position, address] of addressesOf(index, endpoints).entries()) {
    const endpoint = `KUBE-SEP-${shortName(`${title(index)}tcp${address}:8080`)}`
    const left = endpoints - position
    const share =
      left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(11)} `
    const comment = `-m comment --comment "${title(index)}`
    chains.push(`:${endpoint} - [0:0]`)
    rules.push(
      `-A ${chain} ${comment} -> ${address}:8080" ${share}-j ${endpoint}`,
      `-A ${endpoint} -s ${address}/32 ${comment}" -j KUBE-MARK-MASQ`,
      `-A ${endpoint} -p ${match} ${comment}" -m ${match} -j DNAT --to-destination ${address}:8080`,
    )
  }
}

function commit(chains: readonly string[], rules: readonly string[]): string {
  return `${['*nat', ...chains, ...rules, 'COMMIT'].join('\n')}\n`
}

function serviceChain(index: number): string {
  return `KUBE-SVC-${shortName(`${title(index)}tcp`)}`
}

function title(index: number): string {
  return `${generatedNamespace}/service-${index}:http`
}

/** 16 characters, as many as the original's names have. */
function shortName(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16).toUpperCase()
}
