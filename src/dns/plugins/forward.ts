import { type Clock, delay } from '../../kube/clock.ts'
import { aborted } from '../../net/aborted.ts'
import type { Next, Outcome, Plugin } from '../chain/plugin.ts'
import { answerOfUpstream, answerTo, failure, type Reply } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { isInZones } from '../chain/zones.ts'
import type { ForwardSettings } from '../corefile/decode-forward.ts'
import type { Upstream, UpstreamProtocol } from '../upstream/upstream.ts'
import type { Message } from '../wire/message.ts'
import { isInZone } from '../wire/name.ts'
import { rcodes } from '../wire/numbers.ts'
import { isReplyTo } from './cacheable.ts'
import type { ForwardObserver } from './forward-observer.ts'
import { UpstreamHealth } from './upstream-health.ts'

/** What `forward` works with. */
export interface ForwardInputs {
  readonly clock: Clock
  readonly random: () => number
  /** In the order of the directive, at least one. */
  readonly upstreams: readonly Upstream[]
  /** Gives other upstreams when the files that list them change, until the signal is aborted. */
  readonly watchUpstreams: (
    signal: AbortSignal,
    replace: (upstreams: readonly Upstream[]) => void,
  ) => Promise<void>
  readonly observer: ForwardObserver
  /** The `forward` that follows in the same block, for `next`. */
  readonly following: Plugin | undefined
}

/** A query is given up after so long, whatever upstreams are left. */
const deadlineMs = 5_000

/** Between two rounds: upstreams that refuse at once would be asked thousands of times. */
const roundPauseMs = 200

const signalNever = new AbortController().signal

/** `forward`: asks upstreams, one after the other until one answers. */
export function forwardPlugin(settings: ForwardSettings, inputs: ForwardInputs): Plugin {
  const { clock, observer } = inputs
  const { healthCheck, isTcpForced } = settings
  const protocol = isTcpForced ? 'tcp' : 'udp'
  const withHealth = (upstream: Upstream): UpstreamHealth =>
    new UpstreamHealth(upstream, healthCheck, protocol, clock, () =>
      observer.checkFailed(upstream.label),
    )
  let servers = inputs.upstreams.map(withHealth)
  let order = upstreamOrder(settings, servers, inputs.random)
  const replace = (upstreams: readonly Upstream[]): void => {
    const before = servers
    servers = upstreams.map(withHealth)
    order = upstreamOrder(settings, servers, inputs.random)
    // Queries that are under way may still be answered by those before.
    clock.schedule(() => closeAll(before), deadlineMs)
  }
  let runningCount = 0
  const ended = (): void => {
    runningCount--
  }
  return {
    name: 'forward',
    serve(request, next): Outcome {
      const isOwn = isInZone(request.name, settings.from)
      const isExcepted = request.name !== settings.from && isInZones(settings.except, request.name)
      if (!isOwn || isExcepted) return next(request)
      if (settings.maxConcurrent > 0 && runningCount >= settings.maxConcurrent) {
        observer.rejected()
        const reason = `concurrent queries exceeded maximum ${settings.maxConcurrent}`
        return failure(rcodes.REFUSED, reason)
      }
      runningCount++
      const reply = ask(request, order(), settings, inputs, next)
      reply.then(ended, ended)
      return reply
    },
    async run(signal) {
      await Promise.all([aborted(signal), inputs.watchUpstreams(signal, replace)])
      closeAll(servers)
    },
  }
}

function closeAll(servers: readonly UpstreamHealth[]): void {
  for (const server of servers) server.close()
}

/** Goes through the upstreams, round after round, until one answers or time is up. */
async function ask(
  request: Request,
  servers: readonly UpstreamHealth[],
  settings: ForwardSettings,
  inputs: ForwardInputs,
  next: Next,
): Promise<Reply> {
  const { clock, observer, random, following } = inputs
  const endMs = clock.now() + deadlineMs
  let failCount = 0
  let lastReason = 'no healthy upstreams'
  for (let index = 0; clock.now() < endMs; index++) {
    if (index === servers.length) {
      await delay(clock, roundPauseMs, signalNever)
      index = 0
      failCount = 0
    }
    let server = servers[index]
    if (server?.isDown(settings.maxFails) === true) {
      if (++failCount < servers.length) continue
      observer.allDown()
      if (settings.failsFast) break
      // All being down, the checks themselves may be what is broken.
      server = servers[Math.floor(random() * servers.length)]
    }
    if (server === undefined) break
    const reply = await exchange(request, server, settings, inputs)
    if (typeof reply === 'string') {
      lastReason = reply
      if (settings.maxFails > 0) server.suspect()
      if (failCount >= servers.length) break
      continue
    }
    request.trace?.note('forward', `${server.upstream.label} answered`)
    if (!isReplyTo(reply, request.message)) {
      return answerTo(request.message, { rcode: rcodes.FORMERR })
    }
    if (settings.failoverRcodes.includes(reply.rcode) && failCount < servers.length) {
      lastReason = `${server.upstream.label} answered with code ${reply.rcode}`
      failCount++
      continue
    }
    if (settings.nextRcodes.includes(reply.rcode) && following !== undefined) {
      return following.serve(request, next)
    }
    return answerOfUpstream(reply)
  }
  return failure(rcodes.SERVFAIL, lastReason)
}

/** One try, over TCP again when a preferred UDP answer was cut; a text is the reason of its failure. */
function exchange(
  request: Request,
  { upstream }: UpstreamHealth,
  settings: ForwardSettings,
  { clock, observer }: ForwardInputs,
): Promise<Message | string> {
  const { isTcpForced, isUdpPreferred } = settings
  const asked: UpstreamProtocol = request.transport === 'udp' ? 'udp' : 'tcp'
  const protocol = isTcpForced ? 'tcp' : isUdpPreferred ? 'udp' : asked
  const startMs = clock.now()
  const first = upstream.exchange(request.message, protocol)
  const last =
    isUdpPreferred && !isTcpForced
      ? first.then((reply) => (reply.flags.tc ? upstream.exchange(request.message, 'tcp') : reply))
      : first
  return last.then(
    (reply) => {
      observer.answered(upstream.label, reply.rcode, clock.now() - startMs)
      return reply
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

/** Gives the upstreams in the order in which they are asked for one query. */
function upstreamOrder(
  { policy }: ForwardSettings,
  servers: readonly UpstreamHealth[],
  random: () => number,
): () => readonly UpstreamHealth[] {
  let turn = 0
  if (servers.length === 1) return () => servers
  switch (policy) {
    case 'sequential':
      return () => servers
    case 'round_robin':
      return () => {
        const first = servers[++turn % servers.length]
        return first === undefined ? [] : [first, ...servers.filter((server) => server !== first)]
      }
    case 'random':
      return () => {
        const ranked = servers.map((server) => ({ server, rank: random() }))
        return ranked.sort((left, right) => left.rank - right.rank).map(({ server }) => server)
      }
  }
}
