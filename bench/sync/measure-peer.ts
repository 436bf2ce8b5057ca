import type { Row } from '../support/benchmark.ts'
export interface PeerOptions {
  readonly services: number
  readonly endpoints: number
  readonly changes: number
  readonly peer: string
  readonly kubeconfig: string
}
export async function measurePeer(
  _o: PeerOptions,
  _p: (line: string) => void,
  _s: AbortSignal,
): Promise<Row[]> {
  return []
}
