/** Answers each datagram with itself until it is killed; prints a line when it listens. */
import process from 'node:process'
import { openReactor } from '../../src/reactor/open-reactor.ts'

const { port }: { readonly port: number } = JSON.parse(process.argv[2] ?? '{}')
const reactor = openReactor({ drive: 'blocking' }, new AbortController().signal)
await reactor.openDatagram(
  { address: { address: '127.0.0.1', port }, bufferBytes: 4 << 20 },
  {
    onBatch(_socket, batch) {
      for (let index = 0; index < batch.count; index++) {
        const [start, length] = [batch.offset(index), batch.length(index)]
        batch.replyBytes.set(batch.bytes.subarray(start, start + length), batch.replyOffset(index))
        batch.reply(index, length)
      }
    },
    onError() {},
  },
)
process.stdout.write('listening\n')
