import { hostname, networkInterfaces } from 'node:os'
import { systemClock } from '../../kube/clock.ts'
import { refuse } from '../corefile/corefile-error.ts'
import type { ForwardSettings, ForwardTarget } from '../corefile/decode-forward.ts'
import type { Listener } from '../corefile/decode-health.ts'
import { askAddress } from '../upstream/ask-address.ts'
import { openUpstream } from '../upstream/open-upstream.ts'
import { secureRandom } from '../upstream/secure-random.ts'
import type { UdpEngine } from '../upstream/udp-pool.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { noFlags } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { recordClasses } from '../wire/numbers.ts'
import type { ChainParts } from './chain-parts.ts'
import { readTextFile } from './watched-file.ts'

/** The parts that do not depend on who runs the server: this machine's clock, files and network. */
export type SystemParts = Omit<
  ChainParts,
  'log' | 'kubernetes' | 'onLoop' | 'cacheObserver' | 'forwardObserver'
>

/** How upstreams are asked beyond what the Corefile says. */
export interface SystemOptions {
  /** See `UpstreamInputs.randomizesCase`. */
  readonly randomizesCase: boolean
  /** Carries queries over UDP. */
  readonly reactor: UdpEngine
}

/** This machine. */
export function systemParts(options: SystemOptions): SystemParts {
  return {
    clock: systemClock,
    monotonicMs: () => performance.now(),
    random: secureRandom,
    readFile: readTextFile,
    hostName: hostname(),
    openUpstream: (target, settings) => openForwardTarget(target, settings, options),
    askListener: (listener, name, type) => askListener(options.reactor, listener, name, type),
    interfaceAddresses,
  }
}

function openForwardTarget(
  target: Extract<ForwardTarget, { kind: 'server' }>,
  { tls, expireMs }: ForwardSettings,
  { randomizesCase, reactor }: SystemOptions,
): Upstream {
  const pem = (path: string): string | undefined => {
    if (path === '' || target.transport === 'dns') return undefined
    return readTextFile(path) ?? refuse(target.token, `${path} cannot be read`)
  }
  return openUpstream(target, {
    clock: systemClock,
    random: secureRandom,
    reactor,
    expireMs,
    tls: {
      servername: tls.serverName === '' ? undefined : tls.serverName,
      ca: pem(tls.authority),
      cert: pem(tls.certificate),
      key: pem(tls.key),
    },
    randomizesCase,
  })
}

/** One query over UDP to an own address. */
async function askListener(
  reactor: UdpEngine,
  { host, port }: Listener,
  name: DnsName,
  type: number,
): Promise<void> {
  const address = host === '' ? '127.0.0.1' : host
  const questions = [{ name, type, class: recordClasses.IN }]
  const sections = { answers: [], authority: [], additional: [], edns: undefined }
  const flags = { ...noFlags, rd: true }
  const query = { id: 0, flags, opcode: 0, rcode: 0, questions, ...sections }
  await askAddress({ address, port }, query, 'udp', reactor)
}

/** See `ChainParts.interfaceAddresses`. Link-local addresses come with their interface. */
export function interfaceAddresses(name: string): readonly string[] | undefined {
  return networkInterfaces()[name]?.map(({ address, scopeid, family }) =>
    family === 'IPv6' && scopeid !== undefined && scopeid > 0 ? `${address}%${name}` : address,
  )
}
