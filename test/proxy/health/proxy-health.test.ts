import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { healthRoutes } from '../../../src/proxy/health/health-routes.ts'
import { ProxyHealth } from '../../../src/proxy/health/proxy-health.ts'

const test = suite('proxy/health/proxy-health')

/** A health with a clock that the test sets; it stands at 12:00:00. */
function start(): { health: ProxyHealth; pass(ms: number): void; status(page: string): number } {
  let nowMs = Date.UTC(2026, 0, 2, 12)
  const health = new ProxyHealth({ now: () => nowMs, timeoutMs: () => 60_000 })
  const route = healthRoutes(health, () => {})
  return {
    health,
    pass: (ms) => {
      nowMs += ms
    },
    status: (page) => {
      const answer = route(page)
      return answer !== undefined && 'status' in answer ? answer.status : 404
    },
  }
}

test('healthy while starting, however long it takes', () => {
  const { health, pass, status } = start()
  health.queued()
  pass(1_000_000)
  assert.is(status('/healthz'), 200)
  assert.is(status('/livez'), 200)
})

test('healthy without changes, however long ago the last one was', () => {
  const { health, pass, status } = start()
  health.updated()
  pass(1_000_000)
  assert.is(status('/healthz'), 200)
})

test('unhealthy exactly when the oldest waiting change reaches the time limit', () => {
  const { health, pass, status } = start()
  health.updated()
  health.queued()
  pass(30_000)
  health.queued()
  pass(29_999)
  assert.is(status('/livez'), 200)
  pass(1)
  assert.is(status('/livez'), 503)
  assert.is(status('/healthz'), 503)
  health.updated()
  assert.is(status('/livez'), 200)
})

test('a node that leaves fails healthz and not livez', () => {
  const { health, status } = start()
  health.updated()
  health.setNodeEligible(false)
  assert.is(status('/healthz'), 503)
  assert.is(status('/livez'), 200)
  health.setNodeEligible(true)
  assert.is(status('/healthz'), 200)
})

test('the bodies are those of the original', () => {
  const { health, pass } = start()
  health.updated()
  pass(1_000)
  const family = { lastUpdated: '2026-01-02T12:00:00.000Z', healthy: true }
  const good = {
    lastUpdated: '2026-01-02T12:00:01.000Z',
    currentTime: '2026-01-02T12:00:01.000Z',
    healthy: true,
    status: { IPv4: family, IPv6: family },
  }
  assert.equal(health.report('livez').body, good)
  assert.equal(health.report('healthz').body, { ...good, nodeEligible: true })
  health.queued()
  pass(60_000)
  const late = { ...family, healthy: false }
  assert.equal(health.report('healthz').body, {
    lastUpdated: '2026-01-02T12:00:00.000Z',
    currentTime: '2026-01-02T12:01:01.000Z',
    nodeEligible: true,
    healthy: false,
    status: { IPv4: late, IPv6: late },
  })
})

test('before the first update there is no status', () => {
  const { health } = start()
  health.setNodeEligible(false)
  const { body } = health.report('healthz')
  assert.is(body.status, undefined)
  assert.is(body.lastUpdated, '0001-01-01T00:00:00Z')
})

test('answers are counted, other pages are not served', () => {
  const counted: string[] = []
  const health = new ProxyHealth({ now: () => 0, timeoutMs: () => 1 })
  const route = healthRoutes(health, (page, status) => counted.push(`${page} ${status}`))
  route('/healthz')
  health.setNodeEligible(false)
  route('/healthz')
  route('/livez')
  assert.is(route('/other'), undefined)
  assert.equal(counted, ['healthz 200', 'healthz 503', 'livez 200'])
})

test.run()
