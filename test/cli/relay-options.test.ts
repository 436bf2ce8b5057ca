import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRelayOptions } from '../../src/cli/relay-options.ts'
import type { CommandInput } from '../../src/cli/subcommand.ts'
import { defaultRelayOptions } from '../../src/proxy/relay/relay-options.ts'

const options = suite('options of modes that relay')

function read(texts: CommandInput['texts']): ReturnType<typeof readRelayOptions> {
  return readRelayOptions({ arguments: [], texts })
}

options('without any, the defaults hold, and endpoints are told nothing', () => {
  assert.equal(read({}), defaultRelayOptions)
  assert.is(read({}).proxyProtocol, undefined)
})

options('each is read', () => {
  const found = read({
    'userspace-drain': 'reset',
    'userspace-idle-timeout': '2',
    'userspace-udp-timeout': '0.5',
    'userspace-proxy-protocol': 'v2',
    'userspace-source': 'client',
  })
  assert.equal(found, {
    ...defaultRelayOptions,
    drain: 'reset',
    source: 'client',
    idleTimeoutMs: 2_000,
    sessionTimeoutMs: { unanswered: 500, answered: 500 },
    proxyProtocol: 'v2',
  })
})

options('a wrong value is refused with the option and what it takes', () => {
  assert.throws(() => read({ 'userspace-drain': 'stop' }), /--userspace-drain: got "stop"/)
  assert.throws(() => read({ 'userspace-source': 'pod' }), /--userspace-source: got "pod"/)
  assert.throws(
    () => read({ 'userspace-proxy-protocol': '2' }),
    /--userspace-proxy-protocol: got "2", expected v1 or v2/,
  )
  assert.throws(() => read({ 'userspace-idle-timeout': '-1' }), /expected seconds from 0 to 86400/)
})

options.run()
