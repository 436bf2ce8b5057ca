import type { Frontend } from '../plan/plan.ts'

/** Why a frontend that has endpoints is refused where flows are relayed in user space; undefined: it is not. */
export function whyNotRelayed({
  protocol,
  actions,
}: Pick<Frontend, 'protocol' | 'actions'>): string | undefined {
  if (protocol !== 'SCTP') return undefined
  if (!Object.values(actions).some(({ kind }) => kind === 'balance')) return undefined
  return 'user space relays TCP and UDP, not SCTP; serve it with --proxy-mode nftables'
}
