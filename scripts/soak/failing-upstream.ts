import { rcodes } from '../../src/dns/wire/numbers.ts'
import { addressReply, type Fault } from '../../test/dns/upstream/faulty-server.ts'

/** An upstream that answers half of the queries well, and fails with the others in every way that we know. */
export function failingUpstream(protocol: 'udp' | 'tcp'): Fault {
  return (query, count) => {
    const good = addressReply(query, '192.0.2.1', 1 + (count % 5))
    const kind = count % 16
    switch (kind) {
      case 1:
        return []
      case 2:
        return [{ ...good, id: (good.id + 1) & 0xffff }]
      case 3:
        return [{ ...good, id: (good.id + 1) & 0xffff }, good]
      case 4:
        return protocol === 'tcp'
          ? [good]
          : [{ ...good, answers: [], flags: { ...good.flags, tc: true } }]
      case 5:
        return [{ ...good, answers: [], rcode: rcodes.SERVFAIL }]
      case 6:
        return [{ ...good, answers: [], rcode: rcodes.REFUSED }]
      case 7:
        return [Uint8Array.of(1, 2, 3), good]
      case 8:
        return [{ ...good, questions: [] }, good]
      default:
        return [good]
    }
  }
}
