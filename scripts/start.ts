/** Runs the main job: serves the Services of a cluster on this node.
 *
 *      npm start                         the manifests under examples/, with web servers of its own; as
 *                                        root in the kernel, else on loopback
 *      KUBECONFIG=FILE npm start         the cluster that the file names
 *
 *  Ctrl-C ends it. The demonstration leaves nothing behind; with a cluster the rules stay, as a node
 *  needs them while its proxy is replaced, and `npm run portolan -- proxy --cleanup` removes them. */
import process from 'node:process'
import { ended, startPortolan } from './start/portolan.ts'
import { serveExamples } from './start/serve-examples.ts'

const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort())
}

async function serveCluster(kubeconfig: string): Promise<number> {
  process.stdout.write(
    `serving the cluster of ${kubeconfig}; the rules stay afterwards, remove them by: ` +
      'npm run portolan -- proxy --cleanup\n',
  )
  const proxy = startPortolan(['proxy', '--kubeconfig', kubeconfig, ...process.argv.slice(2)])
  abort.signal.addEventListener('abort', () => proxy.kill('SIGTERM'))
  return ended(proxy)
}

const kubeconfig = process.env.KUBECONFIG ?? ''
const examples = new URL('../examples/', import.meta.url).pathname
process.exitCode =
  kubeconfig === ''
    ? await serveExamples(examples, (line) => process.stdout.write(`${line}\n`), abort.signal)
    : await serveCluster(kubeconfig)
