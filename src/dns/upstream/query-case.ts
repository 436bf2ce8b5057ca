import type { Message, Question } from '../wire/message.ts'
import { type DnsName, sameName } from '../wire/name.ts'

/** The question with letters in upper or lower case by chance: a forged reply must guess them too (0x20,
 *  draft-vixie-dnsext-dns0x20). Escapes keep their digits. */
export function withRandomCase(query: Message, random: () => number): Message {
  const questions = query.questions.map((question): Question => {
    const name = question.name.replace(/[a-z]/gi, (letter) =>
      random() < 0.5 ? letter.toLowerCase() : letter.toUpperCase(),
    )
    return { ...question, name }
  })
  return { ...query, questions }
}

/** The reply with the client's question, and its name where records are owned by it. */
export function withCaseOf(reply: Message, query: Message): Message {
  const [asked] = query.questions
  const [answered] = reply.questions
  if (asked === undefined || answered === undefined || asked.name === answered.name) return reply
  const restore = (name: DnsName): DnsName => (sameName(name, asked.name) ? asked.name : name)
  const answers = reply.answers.map((record) => ({ ...record, name: restore(record.name) }))
  return { ...reply, questions: query.questions, answers }
}
