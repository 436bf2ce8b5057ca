import { FrontMemo } from '../../../src/dns/answer/front-memo.ts'
import { NameStamps } from '../../../src/dns/answer/name-stamps.ts'
import {
  type AnswerObserver,
  type Asker,
  PacketResponder,
  type ResponderInputs,
} from '../../../src/dns/answer/packet-responder.ts'
import type { Next, Plugin } from '../../../src/dns/chain/plugin.ts'
import { failure } from '../../../src/dns/chain/reply.ts'
import { dnsServer } from '../../../src/dns/plugins/dns-server.ts'
import { encodeMessage } from '../../../src/dns/wire/encode-message.ts'
import { type Edns, type Message, noFlags } from '../../../src/dns/wire/message.ts'
import { parseType, rcodes } from '../../../src/dns/wire/numbers.ts'
import { kubernetesPlugin } from '../../../src/dns/zone/kubernetes-plugin.ts'
import { directive, type TestCluster } from '../zone/zone-fixture.ts'

/** What a test sees of a responder. */
export interface TestResponder {
  readonly responder: PacketResponder
  readonly memo: FrontMemo
  /** Answers that came from the memo. */
  repeatedCount(): number
  readonly errors: unknown[]
  ask(packet: Uint8Array, isStream?: boolean): Promise<Uint8Array | undefined>
}

/** Who asks in tests. */
export const testAsker: Asker = {
  client: { address: '192.0.2.1', port: 4000 },
  local: { address: '192.0.2.53', port: 53 },
  transport: 'udp',
}

/** A responder with the kubernetes plugin behind the given ones. */
export function openResponder(
  cluster: TestCluster,
  options: {
    readonly plugins?: readonly Plugin[]
    readonly maxBytes?: number
    readonly nowMs?: () => number
    readonly random?: () => number
  } = {},
): TestResponder {
  const stamps = new NameStamps()
  cluster.names.subscribe((changed) => stamps.change(changed))
  const maxBytes = options.maxBytes ?? 1 << 20
  const memo = new FrontMemo({ maxBytes, stamps, random: options.random ?? (() => 0) })
  const kubernetes = kubernetesPlugin(directive('pods insecure'), {
    names: cluster.names,
    localAddresses: () => [],
    searchDomains: () => [],
  })
  const plugins = [...(options.plugins ?? []), kubernetes]
  let repeated = 0
  const errors: unknown[] = []
  const observer: AnswerObserver = {
    tallyOf: () => 0,
    answered: () => {},
    repeated: () => {
      repeated++
    },
    refused: () => {},
    failed: (error) => errors.push(error),
  }
  const inputs: ResponderInputs = {
    respond: serverOf(plugins),
    memo,
    recorder: cluster.names,
    observer,
    nowMs: options.nowMs ?? (() => 0),
    timerMs: () => 0,
    hashSeed: 1,
  }
  const responder = new PacketResponder(inputs)
  const out = new Uint8Array(65_535 + 3)
  return {
    responder,
    memo,
    errors,
    repeatedCount: () => repeated,
    ask: (packet, isStream = false) => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
      const asker: Asker = isStream ? { ...testAsker, transport: 'tcp' } : testAsker
      const source = { asker: () => asker, later: () => resolve }
      const length = responder.respond(packet, 0, packet.length, isStream, source, out, 3)
      if (length > 0) resolve(out.slice(3, 3 + length))
      else setImmediate(() => resolve(undefined))
      return promise
    },
  }
}

function serverOf(plugins: readonly Plugin[]): ResponderInputs['respond'] {
  const ask = plugins.reduceRight<Next>(
    (next, plugin) => (request) => plugin.serve(request, next),
    () => failure(rcodes.SERVFAIL, 'no plugin'),
  )
  const chain = { plugins, ask, isEmpty: false }
  const served = { zone: '.', chain, forwards: false, ednsCodes: [], logOf: () => undefined }
  return dnsServer('dns://:53', [served], () => 0)
}

/** The packet of the question `NAME TYPE`. */
export function queryPacket(
  text: string,
  options: { readonly id?: number; readonly edns?: Edns } & Partial<Message['flags']> = {},
): Uint8Array {
  const [name = '.', type = 'A'] = text.split(' ')
  const { id = 1, edns, ...flags } = options
  const message: Message = {
    id,
    flags: { ...noFlags, rd: true, ...flags },
    opcode: 0,
    rcode: 0,
    questions: [{ name, type: parseType(type) ?? 0, class: 1 }],
    answers: [],
    authority: [],
    additional: [],
    edns,
  }
  return encodeMessage(message, 65_535)
}
