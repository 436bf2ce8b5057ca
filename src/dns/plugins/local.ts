import type { Plugin } from '../chain/plugin.ts'
import { type AnswerParts, answerTo } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { longestZone } from '../chain/zones.ts'
import type { ResourceRecord } from '../wire/message.ts'
import type { DnsName } from '../wire/name.ts'
import { rcodes, recordClasses, recordTypes } from '../wire/numbers.ts'
import type { RecordData } from '../wire/record-data.ts'

/** RFC 6303 and RFC 6761: zones that never leave this machine. */
const zones = ['localhost.', '0.in-addr.arpa.', '127.in-addr.arpa.', '255.in-addr.arpa.']

/** A week. */
const ttl = 604_800

/** `local`: answers for localhost and the reverse zones of this host, and for `localhost.` in front of a
 *  search domain. */
export function localPlugin(): Plugin {
  return {
    name: 'local',
    serve(request, next) {
      if (request.name !== 'localhost.' && request.name.startsWith('localhost.')) {
        return answerTo(request.message, { ...localhost(request), memo: 'until-names-change' })
      }
      const zone = longestZone(zones, request.name)
      if (zone === undefined) return next(request)
      return answerTo(request.message, { ...answerFor(request, zone), memo: 'until-names-change' })
    },
  }
}

function localhost({ question }: Request): AnswerParts {
  if (question.type === recordTypes.A) {
    return { answers: [record(question.name, { kind: 'A', address: '127.0.0.1' })] }
  }
  if (question.type === recordTypes.AAAA) {
    return { answers: [record(question.name, { kind: 'AAAA', address: '::1' })] }
  }
  return { authority: [soa(question.name)] }
}

function answerFor(request: Request, zone: DnsName): AnswerParts {
  const { question, name } = request
  const origin = question.name.slice(-zone.length)
  if (zones.includes(name)) {
    switch (question.type) {
      case recordTypes.SOA:
        return { answers: [soa(question.name)] }
      case recordTypes.NS:
        return { answers: [record(question.name, { kind: 'NS', target: 'localhost.' })] }
      default:
        return name === 'localhost.' ? localhost(request) : { authority: [soa(question.name)] }
    }
  }
  if (name !== '1.0.0.127.in-addr.arpa.') {
    return { rcode: rcodes.NXDOMAIN, authority: [soa(origin)] }
  }
  return question.type === recordTypes.PTR
    ? { answers: [record(question.name, { kind: 'PTR', target: 'localhost.' })] }
    : { authority: [soa(origin)] }
}

type LocalData = Extract<RecordData, { kind: 'A' | 'AAAA' | 'NS' | 'PTR' | 'SOA' }>

function record(name: DnsName, data: LocalData): ResourceRecord {
  return { name, type: recordTypes[data.kind], class: recordClasses.IN, ttl, data }
}

function soa(name: DnsName): ResourceRecord {
  return record(name, {
    kind: 'SOA',
    mname: 'localhost.',
    rname: 'root.localhost.',
    serial: 1,
    refresh: 0,
    retry: 0,
    expire: 0,
    minimum: ttl,
  })
}
