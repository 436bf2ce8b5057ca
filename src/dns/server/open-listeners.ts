import { readFileSync } from 'node:fs'
import type { TlsOptions } from 'node:tls'
import { ListenError } from '../../observe/listen-error.ts'
import type { Reactor } from '../../reactor/reactor.ts'
import { ReactorError } from '../../reactor/reactor-error.ts'
import type { PacketResponder } from '../answer/packet-responder.ts'
import type { BuiltBlock, DnsListener } from '../plugins/build-servers.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp, type OpenListener, type Seat } from './udp-listener.ts'

/** A listener of a Corefile and what answers its packets. */
export interface SeatedListener {
  readonly listener: DnsListener
  readonly responder: PacketResponder
}

/** The sockets of a server. They stay open when one Corefile follows another and both listen there: so no
 *  query is lost. */
export class OpenListeners {
  readonly #reactor: Reactor
  readonly #open = new Map<string, { readonly seat: Seat; readonly sockets: OpenListener[] }>()

  constructor(reactor: Reactor) {
    this.#reactor = reactor
  }

  /** Opens what is new, lets the new responders answer where sockets are open, and then closes what is no
   *  longer wanted. Rejects with ListenError or ReactorError when an address cannot be had, or with the
   *  error of a certificate: then nothing has changed. */
  async replace(wanted: readonly SeatedListener[]): Promise<void> {
    const opened = new Map<string, { readonly seat: Seat; readonly sockets: OpenListener[] }>()
    const renewals: (() => void)[] = []
    try {
      for (const { listener, responder } of wanted) {
        const tls = tlsOf(listener)
        const known = this.#open.get(listener.label)
        if (known !== undefined) {
          renewals.push(() => {
            known.seat.responder = responder
            for (const socket of known.sockets) if (tls !== undefined) socket.renew?.(tls)
          })
          continue
        }
        const seat: Seat = { responder }
        const sockets = await openSockets(this.#reactor, listener, seat, tls)
        opened.set(listener.label, { seat, sockets })
      }
    } catch (error) {
      await closeAll([...opened.values()].flatMap(({ sockets }) => sockets))
      throw error
    }
    for (const renew of renewals) renew()
    const labels = new Set(wanted.map(({ listener }) => listener.label))
    const gone = [...this.#open].filter(([label]) => !labels.has(label))
    for (const [label] of gone) this.#open.delete(label)
    for (const [label, listener] of opened) this.#open.set(label, listener)
    await closeAll(gone.flatMap(([, { sockets }]) => sockets))
  }

  async close(): Promise<void> {
    await closeAll([...this.#open.values()].flatMap(({ sockets }) => sockets))
    this.#open.clear()
  }
}

/** One socket for each family: one for both would show IPv4 clients by addresses of the other. */
const allAddresses = ['0.0.0.0', '::'] as const

async function openSockets(
  reactor: Reactor,
  { host, port }: DnsListener,
  seat: Seat,
  tls: TlsOptions | undefined,
): Promise<OpenListener[]> {
  const sockets: OpenListener[] = []
  for (const each of host === '' ? allAddresses : [host]) {
    try {
      sockets.push(await listenTcp(each, port, seat, tls))
      if (tls === undefined) sockets.push(await listenUdp(reactor, each, port, seat))
    } catch (error) {
      // A machine without IPv6 serves IPv4.
      if (host === '' && each === '::' && codeOf(error) === 'EAFNOSUPPORT') continue
      await closeAll(sockets)
      if (error instanceof ReactorError) throw error
      const shown = each.includes(':') ? `[${each}]` : each
      throw new ListenError('DNS server', `${shown}:${port}`, error as NodeJS.ErrnoException)
    }
  }
  return sockets
}

async function closeAll(sockets: readonly OpenListener[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.close()))
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** The certificate of the first block that has one; undefined: the listener does not speak TLS. */
function tlsOf({ transport, label, blocks }: DnsListener): TlsOptions | undefined {
  if (transport === 'https') {
    throw new Error(`${label}: DNS over HTTPS is not served yet; use dns:// or tls://`)
  }
  if (transport !== 'tls') return undefined
  const settings = blocks.flatMap((block: BuiltBlock) => block.settings.settings.tls ?? [])
  const [first] = settings
  if (first === undefined) {
    throw new Error(`${label}: the block has no tls directive with certificate and key`)
  }
  return { cert: readFileSync(first.certificate), key: readFileSync(first.key) }
}
