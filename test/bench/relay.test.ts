import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareSamples } from '../../bench/relay/compare-samples.ts'
import { parseWrk } from '../../bench/relay/run-wrk.ts'
import { formatTable } from '../../bench/support/format-table.ts'

const relay = suite('bench relay')

/** As wrk 4.1 prints it. */
const report = `Running 2s test @ http://127.0.0.1:9080/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   748.55us  500.00us  13.49ms   95.54%
    Req/Sec    69.21k     2.68k   71.98k    85.71%
  Latency Distribution
     50%  702.00us
     75%  799.00us
     90%    0.93ms
     99%    1.63ms
  144532 requests in 2.10s, 20.54MB read
Requests/sec:  68824.75
Transfer/sec:      9.78MB
`

relay('the report of wrk is read, units and all', () => {
  assert.equal(parseWrk(report), {
    requests: 144_532,
    requestsPerSecond: 68_824.75,
    p50Ms: 0.702,
    p99Ms: 1.63,
  })
})

relay('a report with errors gives no figures, one with late answers does', () => {
  const errors = '  Socket errors: connect 0, read 3, write 0, timeout 0\n'
  assert.throws(() => parseWrk(report + errors), /read 3/)
  const late = '  Socket errors: connect 0, read 0, write 0, timeout 50\n'
  assert.is(parseWrk(report + late).p99Ms, 1.63)
  assert.throws(() => parseWrk('', 'unable to connect'), /unable to connect/)
})

relay('subjects are compared with the reference where it has the same work', () => {
  const sample = (subject: string, work: string, values: readonly number[]) => {
    return { subject, work, figure: { metric: 'm', unit: '1/s' }, values }
  }
  const rows = compareSamples(
    [
      sample('ours', 'tcp', [3, 30, 15]),
      sample('ours', 'udp', [7]),
      sample('theirs', 'tcp', [10, 10, 11]),
    ],
    { subject: 'theirs', title: 'them' },
  )
  assert.is(
    formatTable(rows),
    [
      'subject  work  metric  p50  p99  value  unit  vs them',
      'ours     tcp   m                    15  1/s      1.50',
      'theirs   tcp   m                    10  1/s      1.00',
      'ours     udp   m                     7  1/s',
    ].join('\n'),
  )
})

relay.run()
