/** Runs a kube-proxy in this network namespace and tells the parent when the rules change. The only way
 *  to the API server is a relay: a socket file leads out of the namespace. */
import { spawn, spawnSync } from 'node:child_process'
import { connect, createServer } from 'node:net'
import process from 'node:process'
import { NftablesConnection } from '../../src/netlink/nftables/connection.ts'
import { generatedNode } from '../support/generate-cluster.ts'
import { metricsPort, type PeerOrder, type ProbeMessage, relayPort } from './peer-messages.ts'

const order: PeerOrder = JSON.parse(process.argv[2] ?? '{}')

function tell(message: ProbeMessage): void {
  process.send?.(message)
}

const { status } = spawnSync('ip', ['link', 'set', 'lo', 'up'])
if (status !== 0) throw new Error('peer: `ip link set lo up` failed: install iproute2')
const relay = createServer((inside) => {
  const outside = connect(order.socketFile)
  inside.pipe(outside).pipe(inside)
  for (const side of [inside, outside]) {
    side.on('error', () => {
      inside.destroy()
      outside.destroy()
    })
  }
})
relay.listen(relayPort, '127.0.0.1')

const nftables = NftablesConnection.open()
let generation = nftables.generation()
const peer = spawn(
  order.binary,
  [
    ...['--kubeconfig', order.kubeconfigFile, '--proxy-mode', order.mode],
    ...['--hostname-override', generatedNode, '--metrics-bind-address', `127.0.0.1:${metricsPort}`],
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
peer.once('exit', (code) => {
  process.stderr.write(`peer: ended with ${code}\n`)
  process.exit(1)
})
tell({ kind: 'started', atMs: performance.timeOrigin + performance.now() })

// A commit is seen at most a millisecond late; the peer needs many.
setInterval(() => {
  const now = nftables.generation()
  if (now === generation) return
  generation = now
  tell({ kind: 'rules changed', atMs: performance.timeOrigin + performance.now() })
}, 1)

process.on('message', () => {
  void fetch(`http://127.0.0.1:${metricsPort}/metrics`)
    .then((answer) => answer.text())
    .then((text) => tell({ kind: 'metrics', text }))
})
process.on('disconnect', () => {
  peer.removeAllListeners('exit')
  peer.kill('SIGKILL')
  process.exit(0)
})
