import { setTimeout as delay } from 'node:timers/promises'
import type { ApiWriter } from '../support/api-writer.ts'
import type { BenchmarkOptions, Row } from '../support/benchmark.ts'
import { addressesOf, replacementAddress, sliceJson } from '../support/generate-cluster.ts'
import { distribution, significant } from '../support/percentile.ts'
import { putSlice } from './peer-cluster.ts'
import { peerModeOf, peerSubjectName } from './peer-messages.ts'
import { PeerProcess, quietMs } from './peer-process.ts'
import { withPeerCluster } from './with-peer-cluster.ts'

/** Single changes of a peer; it needs seconds for one. */
const maximumChanges = 20

type PeerOptions = Omit<BenchmarkOptions, 'services' | 'peer' | 'kubeconfig'> & {
  readonly services: number
  readonly peer: string
  readonly kubeconfig: string
}

/** Puts a generated cluster into the API server, runs the peer in a namespace of its own and measures
 *  from outside: from a write's answer to the change of the rules. Removes the cluster afterwards. */
export async function measurePeer(
  options: PeerOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  return withPeerCluster(options.kubeconfig, options, print, async (files, writer) => {
    const order = { binary: options.peer, mode: peerModeOf(options.mode), ...files }
    const probe = new PeerProcess(order, 'own namespace')
    try {
      return await measure(options, writer, probe, signal)
    } finally {
      probe.close()
    }
  })
}

async function measure(
  options: PeerOptions,
  writer: ApiWriter,
  probe: PeerProcess,
  signal: AbortSignal,
): Promise<Row[]> {
  const subject = peerSubjectName(options.peer, options.mode)
  const size = `${options.services}x${options.endpoints}`
  const coldMs = await probe.steady(signal)
  const times: number[] = []
  const before = await probe.syncDuration()
  for (let turn = 0; turn < Math.min(options.changes, maximumChanges); turn++) {
    const index = (turn * 7919) % options.services
    const [, ...others] = addressesOf(index, options.endpoints)
    const next = probe.nextChange(signal)
    await putSlice(writer, sliceJson(index, [replacementAddress(turn), ...others], ''))
    const start = performance.timeOrigin + performance.now()
    times.push((await next) - start)
    await delay(quietMs / 5, undefined, { signal })
  }
  const after = await probe.syncDuration()
  const synchronizations = after.count - before.count
  const work = `${size} one endpoint replaced`
  return [
    {
      subject,
      work: `${size} cold sync`,
      metric: 'start to last change of the rules',
      unit: 'ms',
      value: significant(coldMs),
    },
    {
      subject,
      work,
      metric: 'write answered to rules changed',
      unit: 'ms',
      ...distribution(times),
    },
    ...(synchronizations === 0
      ? []
      : [
          {
            subject,
            work,
            metric: 'own sync duration, mean',
            unit: 'ms',
            value: significant((1000 * (after.sum - before.sum)) / synchronizations),
          },
        ]),
  ]
}
