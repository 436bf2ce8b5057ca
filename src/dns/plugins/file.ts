import { dirname, resolve } from 'node:path'
import { type Outcome, type Plugin, whenReplied } from '../chain/plugin.ts'
import { answerTo, failure } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { isInZones, longestZone } from '../chain/zones.ts'
import { refuse } from '../corefile/corefile-error.ts'
import type { FileSettings } from '../corefile/decode-file.ts'
import { type DnsName, nameKey } from '../wire/name.ts'
import { rcodes, recordTypes } from '../wire/numbers.ts'
import { lookupZone, type ZoneAnswer } from '../zonefile/lookup-zone.ts'
import { parseZoneFile } from '../zonefile/parse-zone-file.ts'
import { type Zone, zoneOf } from '../zonefile/zone.ts'
import { ZoneTextError } from '../zonefile/zone-text.ts'
import type { ChainParts } from './chain-parts.ts'
import { watchFile } from './watched-file.ts'

/** `file`: answers with authority from zone files, which are read again when they change. A file that
 *  cannot be read at the start may come later, unless it is never looked at again. */
export function filePlugin(
  directives: readonly FileSettings[],
  parts: ChainParts,
  isLast: boolean,
): Plugin {
  const zones = new Map<DnsName, Zone | undefined>()
  const load = (settings: FileSettings, text: string): void => {
    const loaded = settings.zones.map((origin) => readZone(settings, origin, text, parts))
    for (const zone of loaded) zones.set(zone.origin, zone)
  }
  for (const settings of directives) {
    for (const origin of settings.zones) zones.set(origin, undefined)
    const text = parts.readFile(settings.path)
    if (text !== undefined) loadOrRefuse(settings, () => load(settings, text))
    else if (settings.reloadMs === 0) refuse(settings.token, `${settings.path} cannot be read`)
    else parts.log.warn({ path: settings.path }, 'zone file cannot be read, will be tried again')
  }
  const fallthrough = directives.flatMap((settings) => settings.fallthrough)
  return {
    name: 'file',
    serve(request, next) {
      const origin = longestZone([...zones.keys()], request.name)
      // A server that only has authority refuses the rest of the world.
      if (origin === undefined) return isLast ? failure(rcodes.REFUSED, undefined) : next(request)
      const zone = zones.get(origin)
      if (zone === undefined) return failure(rcodes.SERVFAIL, `zone ${origin} is not loaded`)
      const { type } = request.question
      if (type === recordTypes.AXFR || type === recordTypes.IXFR) {
        return failure(rcodes.REFUSED, undefined)
      }
      const found = lookupZone(zone, request.name, type)
      request.trace?.note('file', `zone ${origin}: ${found.kind}`)
      const isAbsent = found.kind === 'name-error' || zone.isEmptyName(request.name)
      return isAbsent && isInZones(fallthrough, request.name)
        ? next(request)
        : reply(request, found, zone)
    },
    transfer: (origin) => zones.get(nameKey(origin))?.transfer(),
    async run(signal) {
      const watches = directives.map((settings) => {
        const watched = { path: settings.path, intervalMs: settings.reloadMs }
        return watchFile(watched, parts.clock, signal, (text) => {
          try {
            load(settings, text)
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error)
            parts.log.error({ path: settings.path, reason }, 'the zone stays as it was')
          }
        })
      })
      await Promise.all(watches)
    },
  }
}

function readZone(
  settings: FileSettings,
  origin: DnsName,
  text: string,
  { readFile }: ChainParts,
): Zone {
  const include = (path: string): string | undefined =>
    readFile(resolve(dirname(settings.path), path))
  const zone = zoneOf(origin, parseZoneFile(text, origin, include))
  if (zone === undefined) throw new ZoneTextError(1, 1, `no SOA record for ${origin}`)
  return zone
}

function loadOrRefuse(settings: FileSettings, load: () => void): void {
  try {
    load()
  } catch (error) {
    if (!(error instanceof ZoneTextError)) throw error
    refuse(settings.token, `${settings.path}:${error.message}`)
  }
}

/** The zone's answer as a message; where an alias leads out of it, the server itself is asked. */
function reply(request: Request, found: ZoneAnswer, zone: Zone): Outcome {
  const { answers, authority, additional, leadsTo } = found
  const aa = found.kind !== 'delegation'
  const rcode = found.kind === 'name-error' ? rcodes.NXDOMAIN : rcodes.NOERROR
  const { message } = request
  if (leadsTo === undefined) {
    return answerTo(message, { flags: { aa }, rcode, answers, authority, additional })
  }
  return whenReplied(request.lookup(leadsTo, request.question.type), (led) => {
    const more = led.kind === 'answer' ? led.message.answers : []
    const code = led.kind === 'answer' ? led.message.rcode : rcodes.SERVFAIL
    // RFC 6604 section 3: the code is that of the last name.
    const isTold = code === rcodes.NXDOMAIN || code === rcodes.SERVFAIL
    const parts = { flags: { aa }, answers: [...answers, ...more], authority: zone.ns }
    return answerTo(message, { ...parts, rcode: isTold ? code : rcodes.NOERROR })
  })
}
