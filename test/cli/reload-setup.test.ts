import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { reloadSetup } from '../../src/cli/reload-setup.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { configureProxy, type FlagTexts } from '../../src/proxy/config/configure-proxy.ts'
import { type ProxyOptions, resolveProxyOptions } from '../../src/proxy/config/proxy-options.ts'
import type { Mechanism } from '../../src/proxy/port/mechanism.ts'
import { type ProxySetup, RunningSetup } from '../../src/proxy/running-setup.ts'

const test = suite('cli/reload-setup')

function optionsOf(flags: FlagTexts): ProxyOptions {
  return resolveProxyOptions(configureProxy(flags, undefined).configuration, 'n1')
}

const mechanism = { name: 'nftables', close: () => {} } as unknown as Mechanism
const first = { 'proxy-mode': 'nftables' } as const

interface Outcome {
  readonly setup: RunningSetup
  readonly replaced: ProxySetup | undefined
  readonly lines: readonly string[]
  readonly tuned: number
  readonly error: string | undefined
}

/** Reloads; a change that is asked for is complete at once. */
async function reload(read: () => ProxyOptions): Promise<Outcome> {
  const lines: string[] = []
  const write = (fields: object, message: string) => {
    lines.push([message, ...Object.values(fields)].join(' '))
  }
  const logger: Logger = { error: write, warn: write, info: write, debug: write }
  const setup = new RunningSetup({ options: optionsOf(first), mechanism }, [])
  let replaced: ProxySetup | undefined
  setup.follow(() => {
    replaced = setup.change?.next
    setup.change?.accept(() => Promise.resolve())
  })
  let tuned = 0
  const error = await reloadSetup({ setup, read, logger, tune: () => tuned++ }).then(
    () => undefined,
    (reason: Error) => reason.message,
  )
  return { setup, replaced, lines, tuned, error }
}

test('other periods and masquerading keep the mechanism', async () => {
  const next = optionsOf({ ...first, 'masquerade-all': 'true' })
  const { setup, replaced, tuned, lines } = await reload(() => next)
  assert.is(replaced?.mechanism, mechanism)
  assert.is(setup.present.options.masqueradeAll, true)
  assert.is(tuned, 1)
  assert.match(lines.join(), 'took over the configuration')
})

test('what only a start takes over is named', async () => {
  const next = optionsOf({
    ...first,
    'hostname-override': 'n2',
    'metrics-bind-address': '0.0.0.0:1',
  })
  const { error, replaced } = await reload(() => next)
  assert.match(error ?? '', /^hostnameOverride, metricsBindAddress changed: only a start/)
  assert.is(replaced, undefined)
})

test('another family of the bind address moves the servers: a start as well', async () => {
  const { error } = await reload(() => optionsOf({ ...first, 'bind-address': '::' }))
  assert.match(error ?? '', /^bindAddress changed/)
})

test('a wrong configuration is logged with its faults and changes nothing', async () => {
  const { error, replaced, lines } = await reload(() => optionsOf({ 'proxy-mode': 'nft' }))
  assert.is(error, undefined)
  assert.is(replaced, undefined)
  assert.match(lines.join(), /stays in force.*--proxy-mode/)
})

test('the same configuration changes nothing', async () => {
  const { replaced, tuned, lines } = await reload(() => optionsOf(first))
  assert.is(replaced, undefined)
  assert.is(tuned, 0)
  assert.equal(lines, ['the configuration has not changed'])
})

test.run()
