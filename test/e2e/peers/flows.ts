import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { familyOf } from '../../../src/net/address.ts'
import { type Answer, parseAnswer, type Target } from './requests.ts'
import { askSctp } from './sctp.ts'

/** A flow that stays open; one question at a time. */
export interface HeldFlow {
  /** Sends a line and waits for the answer. Rejects with the error of the socket, `timeout` or `closed`. */
  ask(timeoutMs: number): Promise<Answer>
  close(): void
}

/** Opens a flow, asks once and closes it. */
export async function connectOnce(target: Target, timeoutMs: number): Promise<Answer> {
  if (target.protocol === 'SCTP') return parseAnswer(await askSctp(target, timeoutMs))
  const flow = openFlow(target)
  try {
    return await flow.ask(timeoutMs)
  } finally {
    flow.close()
  }
}

/** Opens a TCP connection or a UDP socket with a source port of its own. */
export function openFlow(target: Target): HeldFlow {
  return target.protocol === 'TCP' ? openTcp(target) : openUdp(target)
}

function openTcp(target: Target): HeldFlow {
  const question = new Question()
  const { address: host, port, from: localAddress } = target
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
  socket.setNoDelay(true)
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes.toString()
    const end = text.indexOf('\n')
    if (end < 0) return
    question.answer(parseAnswer(text.slice(0, end)))
    text = text.slice(end + 1)
  })
  socket.on('error', (error) => question.fail(error))
  socket.on('close', () => question.fail(new Error('closed')))
  return {
    ask: (timeoutMs) => question.ask(() => socket.write('who\n'), timeoutMs),
    // A reset leaves no TIME_WAIT behind, so source ports never run out.
    close: () => socket.resetAndDestroy(),
  }
}

function openUdp(target: Target): HeldFlow {
  const question = new Question()
  const socket = createSocket(familyOf(target.address) === 4 ? 'udp4' : 'udp6')
  socket.on('message', (bytes) => question.answer(parseAnswer(bytes.toString())))
  socket.on('error', (error) => question.fail(error))
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  socket.bind({ port: 0, ...(target.from === undefined ? {} : { address: target.from }) }, () =>
    socket.connect(target.port, target.address, () => resolve()),
  )
  const send = async (): Promise<void> => {
    await connected
    socket.send('who', (error) => {
      if (error !== null) question.fail(error)
    })
  }
  return { ask: (timeoutMs) => question.ask(send, timeoutMs), close: () => socket.close() }
}

/** The answer that a flow waits for. A failure that nobody waited for is told to the next who asks. */
class Question {
  #waiting: PromiseWithResolvers<Answer> | undefined
  #failure: Error | undefined

  async ask(send: () => unknown, timeoutMs: number): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure
    const waiting = Promise.withResolvers<Answer>()
    this.#waiting = waiting
    const timer = new AbortController()
    wait(timeoutMs, undefined, { signal: timer.signal }).then(
      () => waiting.reject(new Error('timeout')),
      () => {},
    )
    try {
      await send()
      return await waiting.promise
    } finally {
      timer.abort()
      this.#waiting = undefined
    }
  }

  answer(answer: Answer): void {
    this.#waiting?.resolve(answer)
  }

  fail(error: Error): void {
    this.#failure ??= error
    this.#waiting?.reject(error)
  }
}
