import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Mechanism } from '../../src/proxy/port/mechanism.ts'
import type { ProxySetup } from '../../src/proxy/running-setup.ts'

import { everything, recordingMechanism, start, World } from './proxy-world.ts'

const test = suite('proxy/change-setup')

/** The setup of a world with another mechanism. */
function nextSetup({ setup }: World, mechanism: Mechanism): ProxySetup {
  assert.ok(setup)
  return { options: setup.present.options, mechanism }
}

test('another mode is complete before the one before is removed', async () => {
  const { world, ended } = await start()
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'second')))
  assert.equal(world.events, [
    'recording complete',
    'second complete',
    'recording removed',
    'recording closed',
  ])
  world.sinks.Service?.delete('ns/web')
  await world.until(() => world.updates.length > 0)
  assert.is(world.plans.at(-1)?.services.size, 1)
  world.abort.abort()
  await ended
})

test('a mode that the kernel refuses is removed, and the one before serves on', async () => {
  const { world, ended } = await start()
  const refused = await world.setup
    ?.replace(nextSetup(world, recordingMechanism(world, 'second', 1)))
    .catch((error: Error) => error.message)
  assert.is(refused, 'second: EOPNOTSUPP')
  await world.until(() => world.plans.length > 1)
  assert.equal(world.events, [
    'recording complete',
    'second refused',
    'second removed',
    'second closed',
    'recording complete',
  ])
  world.abort.abort()
  await ended
})

test('other options for the same mechanism are one comparison more', async () => {
  const { world, ended } = await start()
  assert.ok(world.setup)
  const { options, mechanism } = world.setup.present
  await world.setup.replace({ options: { ...options, masqueradeMark: 1 }, mechanism })
  assert.equal(world.events, ['recording complete', 'recording complete'])
  assert.is(world.plans.at(-1)?.node.masqueradeMark, 1)
  world.abort.abort()
  await ended
})

test('a mode that keeps connections drains before it is removed, and no longer when it comes back', async () => {
  const { world, ended } = await start()
  const draining = recordingMechanism(world, 'keeper')
  const drained = Promise.withResolvers<void>()
  let isAborted = false
  draining.drain = (signal) => {
    world.events.push('keeper drains')
    signal.addEventListener('abort', () => {
      isAborted = true
      drained.resolve()
    })
    return drained.promise
  }
  await world.setup?.replace(nextSetup(world, draining))
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'third')))
  assert.is(world.setup?.present.mechanism.name, 'third')
  assert.equal(world.events.slice(-2), ['third complete', 'keeper drains'])
  await world.setup?.replace(nextSetup(world, recordingMechanism(world, 'keeper')))
  assert.ok(isAborted)
  await world.until(() => world.events.includes('keeper closed'))
  assert.not.ok(world.events.includes('keeper removed'))
  world.abort.abort()
  await ended
})

test('what another mode left behind goes after the first synchronisation', async () => {
  const world = new World()
  const ended = world.run({}, [recordingMechanism(world, 'left')])
  await world.list(...everything)
  await world.until(() => world.events.includes('left closed'))
  assert.equal(world.events, ['recording complete', 'left removed', 'left closed'])
  world.abort.abort()
  await ended
})

test.run()
