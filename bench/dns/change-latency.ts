import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { encodeMessage } from '../../src/dns/wire/encode-message.ts'
import { noFlags } from '../../src/dns/wire/message.ts'
import {
  addressesOf,
  generatedNamespace,
  replacementAddress,
  serviceJson,
  sliceJson,
} from '../support/generate-cluster.ts'
import { answering } from './answering.ts'
import type { DnsBed } from './dns-bed.ts'
import { startWithApi } from './dns-subject.ts'
import { openScriptedApi, type ScriptedApi } from './scripted-api.ts'

/** Changes that are not counted: the code is compiled meanwhile. */
const warmUpChanges = 50
/** Between two changes, so that each is a change of its own. */
const pauseMs = 10
/** A change that shows no effect by then never will. */
const patienceMs = 5_000

/** Endpoints of each service. */
const endpoints = 10
const slicesPath = '/apis/discovery.k8s.io/v1/endpointslices'

/** Milliseconds from the write of a watch event that replaces the endpoints of a headless service, one value for
 *  each of `changes`, until a client that asks again and again gets the new address: delivery by the API
 *  server's connection and the last query's way are in it. */
export async function measureChanges(
  bed: DnsBed,
  services: number,
  port: number,
  changes: number,
): Promise<readonly number[]> {
  const indices = Array.from({ length: services }, (_, index) => index)
  const api = await openScriptedApi({
    '/api/v1/services': [headlessJson(), ...indices.slice(1).map((index) => serviceJson(index))],
    '/api/v1/namespaces': [
      { kind: 'Namespace', metadata: { name: generatedNamespace, resourceVersion: '1' } },
    ],
    [slicesPath]: indices.map((index) => sliceJson(index, addressesOf(index, endpoints))),
  })
  const child = bed.adopt(startWithApi(bed, port, api.url))
  const socket = createSocket('udp4')
  try {
    const complaints: string[] = []
    child.stderr?.on('data', (chunk) => complaints.push(String(chunk)))
    await answering(port, () => complaints.join('').trim())
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const times: number[] = []
    for (let index = 0; index < warmUpChanges + changes; index++) {
      const tookMs = await timeChange(api, socket, index)
      if (index >= warmUpChanges) times.push(tookMs)
      await wait(pauseMs)
    }
    return times
  } finally {
    socket.close()
    child.kill('SIGKILL')
    await api.close()
  }
}

/** Service 0, so that its endpoints are the answer. */
function headlessJson(): unknown {
  const { spec, ...json } = serviceJson(0)
  return { ...json, spec: { ...Object(spec), clusterIP: 'None', clusterIPs: ['None'] } }
}

const query = encodeMessage(
  {
    id: 1,
    flags: { ...noFlags, rd: true },
    opcode: 0,
    rcode: 0,
    questions: [{ name: `service-0.${generatedNamespace}.svc.cluster.local.`, type: 1, class: 1 }],
    answers: [],
    authority: [],
    additional: [],
    edns: undefined,
  },
  512,
)

async function timeChange(api: ScriptedApi, socket: Socket, index: number): Promise<number> {
  const address = replacementAddress(index)
  const bytes = Buffer.from(address.split('.').map(Number))
  const object = sliceJson(0, [address], `${index + 2}`)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const started = performance.now()
  const ask = (): void => socket.send(query)
  const onMessage = (answer: Buffer): void => {
    const tookMs = performance.now() - started
    if (answer.indexOf(bytes) >= 0) resolve(tookMs)
    else if (tookMs < patienceMs) ask()
    else reject(new Error(`a change had no effect for ${patienceMs} ms`))
  }
  socket.on('message', onMessage)
  api.send(slicesPath, { type: 'MODIFIED', object })
  ask()
  try {
    return await promise
  } finally {
    socket.off('message', onMessage)
  }
}
