import { type Outcome, type Plugin, whenReplied } from '../chain/plugin.ts'
import { answerTo, failure } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import { isInZones, longestZone } from '../chain/zones.ts'
import type { TemplateSettings } from '../corefile/decode-template.ts'
import type { TemplateValue } from '../corefile/go-expression.ts'
import { executeTemplate, type Template } from '../corefile/go-template.ts'
import type { Edns, ResourceRecord } from '../wire/message.ts'
import { ednsOptions, formatClass, formatType, rcodes, recordTypes } from '../wire/numbers.ts'
import { parseRecordText } from '../zonefile/parse-record.ts'

/** TTL of records whose text has none, as in miekg/dns. */
const defaultTtlSeconds = 3600

/** ANY, for types and classes. */
const any = 255

/** `template`: makes answers out of the question. */
export function templatePlugin(directives: readonly TemplateSettings[]): Plugin {
  return {
    name: 'template',
    serve(request, next) {
      for (const settings of directives) {
        if (!isConcerned(settings, request)) continue
        const data = matchName(settings, request)
        if (data !== undefined) return answerFrom(settings, request, data)
        if (!isInZones(settings.fallthrough, request.name)) {
          return failure(rcodes.SERVFAIL, undefined)
        }
      }
      return next(request)
    },
  }
}

function isConcerned(
  { zones, class: ownClass, type }: TemplateSettings,
  request: Request,
): boolean {
  const { question, name } = request
  if (longestZone(zones, name) === undefined) return false
  const isClass = [ownClass, question.class].includes(any) || ownClass === question.class
  return isClass && ([type, question.type].includes(any) || type === question.type)
}

/** The data of the templates, from the first expression that matches. */
function matchName(settings: TemplateSettings, request: Request): TemplateValue | undefined {
  const { question, name } = request
  for (const { pattern, text } of settings.match) {
    const groups = pattern.exec(name)
    if (groups === null) continue
    const values = groups.map((group) => group ?? '')
    const named = Object.entries(groups.groups ?? {}).map(([key, value]) => [key, value ?? ''])
    return {
      Zone: longestZone(settings.zones, name) ?? '.',
      Name: name,
      Regex: text,
      Match: values,
      Group: { ...values, ...Object.fromEntries(named) },
      Class: formatClass(question.class === any ? settings.class : question.class),
      Type: formatType(question.type === any ? settings.type : question.type),
      Question: { Name: question.name, Qtype: question.type, Qclass: question.class },
      Message: { Id: request.message.id },
      Remote: request.client.address,
      Meta: {},
    }
  }
  return undefined
}

function answerFrom(settings: TemplateSettings, request: Request, data: TemplateValue): Outcome {
  request.trace?.note('template', `zone ${settings.zones.join(' ')} makes the answer`)
  if (settings.rcode === rcodes.SERVFAIL) return failure(rcodes.SERVFAIL, undefined)
  const [answers, authority, additional] = [
    makeRecords(settings.answer, data),
    makeRecords(settings.authority, data),
    makeRecords(settings.additional, data),
  ]
  if (answers === undefined || authority === undefined || additional === undefined) {
    return failure(rcodes.SERVFAIL, `template: no record can be made for ${request.name}`)
  }
  const edns = settings.extendedError && extendedError(settings.extendedError)
  return whenReplied(chase(answers, request, 0), (chased) => {
    const isChased = chased.kind === 'answer'
    return answerTo(request.message, {
      flags: { aa: true, tc: isChased && chased.message.flags.tc },
      rcode: settings.rcode,
      answers: isChased ? chased.message.answers : answers,
      authority,
      additional,
      edns,
    })
  })
}

function makeRecords(
  templates: readonly Template[],
  data: TemplateValue,
): readonly ResourceRecord[] | undefined {
  const records: ResourceRecord[] = []
  for (const template of templates) {
    const text = executeTemplate(template, data)
    const record = text === undefined ? undefined : parseRecordText(text, defaultTtlSeconds)
    if (record === undefined) return undefined
    records.push(record)
  }
  return records
}

/** Behind each alias what the server itself says about its target, for questions for addresses. */
function chase(records: readonly ResourceRecord[], request: Request, from: number): Outcome {
  const { type } = request.question
  const isAddress = type === recordTypes.A || type === recordTypes.AAAA
  const index = records.findIndex(({ data }, at) => at >= from && data.kind === 'CNAME')
  const alias = records[index]
  if (!isAddress || alias?.data.kind !== 'CNAME') {
    return answerTo(request.message, { answers: records })
  }
  return whenReplied(request.lookup(alias.data.target, type), (led) => {
    const more = led.kind === 'answer' ? led.message.answers : []
    const answers = [...records.slice(0, index + 1), ...more, ...records.slice(index + 1)]
    return chase(answers, request, index + 1 + more.length)
  })
}

/** RFC 8914; CoreDNS tells it even to clients without EDNS. */
function extendedError({ code, reason }: { code: number; reason: string }): Edns {
  const data = Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(reason)])
  return {
    udpSize: 4096,
    version: 0,
    isDnssecOk: true,
    options: [{ code: ednsOptions.ERROR, data }],
  }
}
