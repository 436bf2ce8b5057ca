import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProxyConfiguration } from '../../src/proxy/config/parse-proxy-configuration.ts'
import { type NodeSetting, nodeSettings, tuneNode } from '../../src/proxy/tune-node.ts'

const test = suite('proxy/tune-node')
const type = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'

function settings(fields: string, cores = 8): string[] {
  return nodeSettings(parseProxyConfiguration(`${type}${fields}`, 'x'), cores).map(
    ({ path, value }) => `${path.split('/').at(-1)}=${value}`,
  )
}

test('the defaults of the original', () => {
  assert.equal(settings(''), [
    'nf_conntrack_max=262144',
    'nf_conntrack_tcp_timeout_established=86400',
    'nf_conntrack_tcp_timeout_close_wait=3600',
    'oom_score_adj=-999',
  ])
})

test('few cores get the least table size', () => {
  assert.equal(settings('', 2)[0], 'nf_conntrack_max=131072')
})

test('zero leaves the kernel alone', () => {
  const fields =
    'conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}\noomScoreAdj: 0'
  assert.equal(settings(fields), ['oom_score_adj=0'])
})

test('everything that can be set', () => {
  const fields = 'conntrack: {udpTimeout: 30s, udpStreamTimeout: 5m, tcpBeLiberal: true}'
  assert.equal(settings(fields).slice(3, 6), [
    'nf_conntrack_udp_timeout=30',
    'nf_conntrack_udp_timeout_stream=300',
    'nf_conntrack_tcp_be_liberal=1',
  ])
})

test('only what differs is written, a minimum never lowers, a failure is told', () => {
  const files = new Map([
    ['/same', '5\n'],
    ['/more', '9\n'],
    ['/less', '1\n'],
  ])
  const setting = (path: string): NodeSetting => ({ field: path, path, value: 5, isMinimum: true })
  const outcomes = tuneNode(['/same', '/more', '/less', '/none'].map(setting), {
    read(path) {
      const text = files.get(path)
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
    write: (path, text) => files.set(path, text),
  })
  assert.equal(
    outcomes.map(({ kind, setting: { path } }) => `${kind} ${path}`),
    ['written /less', 'failed /none'],
  )
  assert.equal([...files.values()], ['5\n', '9\n', '5'])
})

test.run()
