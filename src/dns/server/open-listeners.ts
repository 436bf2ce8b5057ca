import type { Reactor } from '../../reactor/reactor.ts'
import type { PacketResponder } from '../answer/packet-responder.ts'
import { defaultTimeouts } from '../corefile/decode-small.ts'
import type { DnsListener } from '../plugins/build-servers.ts'
import { listenHttps } from './https-listener.ts'
import { eachAddress } from './listen-place.ts'
import { asksForCertificate, secureSettings } from './secure-settings.ts'
import type { StreamSettings } from './stream-settings.ts'
import { listenTcp } from './tcp-listener.ts'
import { listenUdp, type OpenListener, type Seat } from './udp-listener.ts'

/** A listener of a Corefile and what answers its packets. */
export interface SeatedListener {
  readonly listener: DnsListener
  readonly responder: PacketResponder
  /** Told the HTTP status of each answer over HTTPS. */
  readonly countStatus: (status: number) => void
}

/** An open listener of a Corefile. */
interface OpenSeat {
  readonly seat: Seat
  readonly sockets: readonly OpenListener[]
  settings: StreamSettings
}

/** The sockets of a server. They stay open when one Corefile follows another and both listen there: so no
 *  query is lost. */
export class OpenListeners {
  readonly #reactor: Reactor
  readonly #isShared: boolean
  readonly #open = new Map<string, OpenSeat>()

  /** `isShared`: other threads listen at the same addresses. */
  constructor(reactor: Reactor, isShared: boolean) {
    this.#reactor = reactor
    this.#isShared = isShared
  }

  /** Opens what is new, lets the new responders answer where sockets are open, and then closes what is no
   *  longer wanted. Rejects with ListenError or ReactorError when an address cannot be had, or with the
   *  error of a certificate: then nothing has changed. */
  async replace(wanted: readonly SeatedListener[]): Promise<void> {
    const opened = new Map<string, OpenSeat>()
    const renewals: (() => void)[] = []
    try {
      for (const next of wanted) {
        const { label } = next.listener
        const settings = settingsOf(next.listener)
        const known = this.#open.get(label)
        if (known !== undefined) {
          checkRenewal(label, known.settings, settings)
          renewals.push(() => renew(known, next, settings))
          continue
        }
        const seat: Seat = { responder: next.responder }
        const sockets = await this.#openSockets(next, seat, settings)
        opened.set(label, { seat, sockets, settings })
      }
    } catch (error) {
      await closeAll([...opened.values()].flatMap(({ sockets }) => sockets))
      throw error
    }
    for (const each of renewals) each()
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

  async #openSockets(
    { listener, countStatus }: SeatedListener,
    seat: Seat,
    settings: StreamSettings,
  ): Promise<OpenListener[]> {
    const { port, transport } = listener
    const { secure } = settings
    const sockets: OpenListener[] = []
    await eachAddress(listener, async (host) => {
      const place = { host, port, isShared: this.#isShared }
      if (transport === 'https' && secure !== undefined) {
        sockets.push(await listenHttps(place, seat, { ...settings, secure }, countStatus))
        return
      }
      sockets.push(await listenTcp(place, seat, settings))
      if (secure === undefined) sockets.push(await listenUdp(this.#reactor, place, seat))
    }).catch(async (error: unknown) => {
      await closeAll(sockets)
      throw error
    })
    return sockets
  }
}

function renew(open: OpenSeat, { responder }: SeatedListener, settings: StreamSettings): void {
  open.settings = settings
  open.seat.responder = responder
  for (const socket of open.sockets) socket.renew?.(settings)
}

async function closeAll(sockets: readonly OpenListener[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.close()))
}

/** What connections of the listener go by: the first directive of its blocks counts. */
function settingsOf({ transport, label, blocks }: DnsListener): StreamSettings {
  const all = blocks.map(({ settings }) => settings.settings)
  const timeouts = all.flatMap((settings) => settings.timeouts ?? [])[0] ?? defaultTimeouts
  if (transport === 'dns') return { secure: undefined, timeouts }
  const [tls] = all.flatMap((settings) => settings.tls ?? [])
  if (tls === undefined) {
    throw new Error(`${label}: the block has no tls directive with certificate and key`)
  }
  return { secure: secureSettings(label, tls), timeouts }
}

/** Throws when a reload wants what needs another socket. */
function checkRenewal(label: string, before: StreamSettings, after: StreamSettings): void {
  const asks = (settings: StreamSettings): boolean =>
    settings.secure !== undefined && asksForCertificate(settings.secure.clientAuth)
  if (asks(before) === asks(after)) return
  throw new Error(`${label}: client_auth can be switched on or off by a restart only`)
}
