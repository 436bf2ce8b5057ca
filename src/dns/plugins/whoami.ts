import { familyOf } from '../../net/address.ts'
import type { Plugin } from '../chain/plugin.ts'
import { answerTo } from '../chain/reply.ts'
import type { Request } from '../chain/request.ts'
import type { ResourceRecord } from '../wire/message.ts'
import { recordTypes } from '../wire/numbers.ts'

/** `whoami`: answers every question with the client's address, port and protocol. */
export function whoamiPlugin(): Plugin {
  return {
    name: 'whoami',
    serve: (request) =>
      answerTo(request.message, {
        flags: { aa: true },
        additional: [addressOf(request), portOf(request)],
      }),
  }
}

function addressOf({ question, client }: Request): ResourceRecord {
  const [address = ''] = client.address.split('%')
  const kind = familyOf(address) === 4 ? 'A' : 'AAAA'
  const { name, class: recordClass } = question
  return { name, type: recordTypes[kind], class: recordClass, ttl: 0, data: { kind, address } }
}

function portOf({ question, client, transport }: Request): ResourceRecord {
  const protocol = transport === 'udp' ? '_udp.' : '_tcp.'
  return {
    name: question.name === '.' ? protocol : `${protocol}${question.name}`,
    type: recordTypes.SRV,
    class: question.class,
    ttl: 0,
    data: { kind: 'SRV', priority: 0, weight: 0, port: client.port, target: '.' },
  }
}
