import type { Clock } from '../../kube/clock.ts'
import type { Plugin } from '../chain/plugin.ts'
import { answerTo, failure } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { isInZones } from '../chain/zones.ts'
import type { HostsSettings } from '../corefile/decode-hosts.ts'
import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'
import { parseHosts } from './hosts-table.ts'
import { reversedAddress } from './reversed-address.ts'
import { watchFile } from './watched-file.ts'

/** What `hosts` works with. */
export interface HostsInputs {
  readonly clock: Clock
  readonly readFile: (path: string) => string | undefined
}

/** `hosts`: answers from a hosts file and from lines of the Corefile; the file is read again when it
 *  changes. */
export function hostsPlugin(settings: HostsSettings, { clock, readFile }: HostsInputs): Plugin {
  const { zones, path, reloadMs, ttlSeconds } = settings
  const inline = parseHosts(settings.inline.join('\n'), zones)
  let fromFile = parseHosts(readFile(path) ?? '', zones)
  const addressesOf = (name: DnsName, family: 4 | 6): readonly string[] => [
    ...fromFile.addressesOf(name, family),
    ...inline.addressesOf(name, family),
  ]
  const namesOf = (name: DnsName): readonly DnsName[] => {
    const address = settings.hasReverse ? reversedAddress(name) : undefined
    return address === undefined ? [] : [...fromFile.namesOf(address), ...inline.namesOf(address)]
  }
  const recordsFor = ({ name, question }: Request): readonly ResourceRecord[] => {
    const { type } = question
    const common = { name, class: recordClasses.IN, ttl: ttlSeconds }
    if (type === recordTypes.PTR) {
      return namesOf(name).map((target) => ({ ...common, type, data: { kind: 'PTR', target } }))
    }
    if (type === recordTypes.A) {
      const addresses = addressesOf(name, 4)
      return addresses.map((address) => ({ ...common, type, data: { kind: 'A', address } }))
    }
    if (type !== recordTypes.AAAA) return []
    const addresses = addressesOf(name, 6)
    return addresses.map((address) => ({ ...common, type, data: { kind: 'AAAA', address } }))
  }
  return {
    name: 'hosts',
    serve(request, next) {
      const { name, question } = request
      const isPointer = question.type === recordTypes.PTR
      if (!isPointer && !isInZones(zones, name)) return next(request)
      const answers = recordsFor(request)
      if (isPointer && answers.length === 0) return next(request)
      const isKnown = addressesOf(name, 4).length > 0 || addressesOf(name, 6).length > 0
      if (answers.length === 0 && !isKnown) {
        if (isInZones(settings.fallthrough, name)) return next(request)
        // A hosts file has no SOA, so that the name cannot be denied.
        return failure(rcodes.SERVFAIL, undefined)
      }
      request.trace?.note('hosts', `${answers.length} records for ${name}`)
      return answerTo(request.message, { flags: { aa: true }, answers })
    },
    run: (signal) =>
      watchFile({ path, intervalMs: reloadMs }, clock, signal, (text) => {
        fromFile = parseHosts(text, zones)
      }),
  }
}
