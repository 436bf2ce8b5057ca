import { once } from 'node:events'
import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ThreadEngine } from '../../../src/dns/server/thread-engine.ts'
import { ClusterNames } from '../../../src/dns/zone/cluster-names.ts'
import { createLogger } from '../../../src/observe/logger.ts'
import { ManualClock } from '../plugins/manual-clock.ts'
import { freePort, parseCorefile } from './running-server.ts'

const test = suite('dns/server/thread-engine')

/** Copies of the cluster that are alive after a collection. */
function countNames(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  return queryObjects(ClusterNames, { format: 'count' })
}

test('what a reload has replaced is let go of, with its copy of the cluster', async () => {
  const clock = new ManualClock()
  const port = await freePort()
  let watchCount = 0
  const engine = new ThreadEngine({
    source: {
      async watch(_kind, _selection, sink, signal) {
        watchCount++
        sink.replace([])
        if (!signal.aborted) await once(signal, 'abort')
        watchCount--
      },
    },
    logger: createLogger({ format: 'json', level: 'error' }, () => {}),
    localAddresses: () => [],
    randomizesCase: false,
    clock,
    isShared: false,
  })
  const text = (ttl: number): string =>
    `.:${port} {\n bind 127.0.0.1\n kubernetes cluster.local {\n  ttl ${ttl}\n }\n}\n`
  for (const ttl of [1, 2, 3, 4]) await engine.take(parseCorefile(text(ttl)))
  assert.is(watchCount, 4 * 3)
  // Queries that came before may still be answered by what was replaced.
  await clock.advance(6_000)
  assert.is(watchCount, 3)
  assert.is(countNames(), 1)
  await engine.close()
  await clock.advance(0)
  assert.is(watchCount, 0)
})

test.run()
