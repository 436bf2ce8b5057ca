import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ObjectIntake } from '../../src/kube/object-intake.ts'
import type { Service } from '../../src/kube/resources.ts'
import type { SourceEvent } from '../../src/kube/source-event.ts'
import { Store } from '../../src/kube/store.ts'
import { WatchStream } from '../../src/kube/watch-stream.ts'
import { DecodeError } from '../../src/net/decode-error.ts'

const test = suite('kube/watch-stream')

/** One thing that happens to the cluster; a bad object has a port that no decoder takes. */
const happening = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  what: fc.constantFrom('good', 'bad', 'gone', 'cut', 'lost'),
})

interface ServerObject {
  readonly version: number
  readonly isGood: boolean
}

const objectOf = (name: string, { version, isGood }: ServerObject): object => ({
  metadata: { name, namespace: 'd', resourceVersion: String(version) },
  spec: { clusterIP: '10.96.0.1', ports: [{ port: isGood ? version : 0 }] },
})

const endMark = JSON.stringify({
  type: 'BOOKMARK',
  object: {
    metadata: { resourceVersion: '1', annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
})

test('after any history the store has the last good version of what exists', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (history) => {
      const store = new Store<Service>()
      const events: SourceEvent[] = []
      const intake = new ObjectIntake('Service', store, (event) => events.push(event))
      const server = new Map<string, ServerObject>()
      const lastGood = new Map<string, number>()
      let isConnected = true
      const relist = (): WatchStream<'Service'> => {
        const fresh = new WatchStream(intake, true)
        for (const [name, object] of server) {
          fresh.take(JSON.stringify({ type: 'ADDED', object: objectOf(name, object) }))
          if (object.isGood) lastGood.set(name, object.version)
        }
        for (const name of lastGood.keys()) if (!server.has(name)) lastGood.delete(name)
        assert.is(fresh.take(endMark), '1')
        return fresh
      }
      let stream = relist()
      for (const [step, { name, what }] of history.entries()) {
        if (what === 'lost') isConnected = false
        else if (what === 'cut') {
          isConnected = true
          stream = relist()
        } else {
          const object = { version: step + 1, isGood: what === 'good' }
          const type = what === 'gone' ? 'DELETED' : server.has(name) ? 'MODIFIED' : 'ADDED'
          if (what === 'gone') server.delete(name)
          else server.set(name, object)
          if (!isConnected) continue
          const version = stream.take(JSON.stringify({ type, object: objectOf(name, object) }))
          assert.is(version, String(step + 1))
          if (what === 'gone') lastGood.delete(name)
          else if (what === 'good') lastGood.set(name, step + 1)
        }
      }
      relist()
      const found = [...store.values()].map((each) => [each.name, each.ports[0]?.port])
      assert.equal(found.sort(), [...lastGood].sort())
      for (const event of events) assert.match(event.kind, /^object (?:refused|accepted)$/)
    }),
    { numRuns: 500 },
  )
})

test('a line is an event or a DecodeError', () => {
  const stream = new WatchStream(new ObjectIntake('Service', new Store(), () => {}), false)
  const value = fc.record(
    {
      type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'FUTURE', 5),
      object: fc.oneof(
        fc.jsonValue(),
        fc.record({ metadata: fc.jsonValue() }),
        fc.record({ metadata: fc.record({ resourceVersion: fc.jsonValue(), name: fc.string() }) }),
      ),
    },
    { requiredKeys: [] },
  )
  const line = fc.oneof(
    value.map((each) => JSON.stringify(each)),
    fc.string(),
  )
  fc.assert(
    fc.property(line, (text) => {
      try {
        stream.take(text)
      } catch (error) {
        assert.instance(error, DecodeError, String(error))
      }
    }),
    { numRuns: 1_000 },
  )
})

test.run()
