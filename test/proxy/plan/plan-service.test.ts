import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkPlan, type PlanRow, planFirst } from '../../support/check-plan.ts'
import { planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/plan/planService')

/** Two endpoints, one of this node. */
const two = 'slice s of web http:8080/TCP | 10.1.0.4@n1 | 10.1.1.7@n2'

const both = '10.1.0.4:8080 10.1.1.7:8080'

const bothMasqueraded = '10.1.0.4:8080! 10.1.1.7:8080!'

/** The same without one of this node. */
const away = 'slice s of web http:8080/TCP | 10.1.1.7@n2'

const noDetector = planContext({ podDetector: { kind: 'none' } })

const local = '10.1.0.4:8080'

const kinds: readonly PlanRow[] = [
  {
    title: 'a cluster address is masqueraded for all but pods',
    cluster: `service web 10.96.0.10 http:80/TCP\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}`,
  },
  {
    title: 'a node port, a load balancer and an external address balance masqueraded for everybody',
    cluster: `service web 10.96.0.10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 ext=198.18.1.1\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}
      load-balancer 198.18.0.1:80/TCP: * ${bothMasqueraded}
      external-ip 198.18.1.1:80/TCP: * ${bothMasqueraded}
      node-port *:30080/TCP: * ${bothMasqueraded}`,
  },
  {
    title: 'ipMode Proxy gives no frontend, ipMode VIP beside it does',
    cluster: `service web 10.96.0.10 http:80/TCP type=LoadBalancer lb-proxy=198.18.0.1 lb=198.18.0.2\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      load-balancer 198.18.0.2:80/TCP: * 10.1.1.7:8080!`,
  },
  {
    title:
      'an address in several fields is served once, with the source ranges of the load balancer',
    cluster: `service web 10.96.0.10 http:80/TCP ext=198.18.0.1,10.96.0.10 lb=198.18.0.1,198.18.0.1 from=203.0.113.0/24\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      load-balancer 198.18.0.1:80/TCP from 203.0.113.0/24: * 10.1.1.7:8080!`,
  },
  {
    title: 'ExternalName asks for nothing, even with a cluster address',
    cluster: `service web 10.96.0.10 http:80/TCP type=ExternalName\n${two}`,
    plan: '',
  },
  {
    title: 'a headless service asks for nothing',
    cluster: `service web http:80/TCP/30080 ext=198.18.1.1\n${two}`,
    plan: '',
  },
  {
    title: 'a service of another proxy asks for nothing',
    cluster: `service web 10.96.0.10 http:80/TCP label=service.kubernetes.io/service-proxy-name\n${two}`,
    plan: '',
  },
  {
    title: 'a service labelled headless asks for nothing',
    cluster: `service web 10.96.0.10 http:80/TCP label=service.kubernetes.io/headless\n${two}`,
    plan: '',
  },
  {
    title: 'loadBalancerClass has no say',
    cluster: `service web 10.96.0.10 http:80/TCP type=LoadBalancer class=example.com/other lb=198.18.0.1\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      load-balancer 198.18.0.1:80/TCP: * 10.1.1.7:8080!`,
  },
  {
    title: 'ports are matched by name and protocol',
    cluster: `service web 10.96.0.10 dns:53/UDP dns-tcp:53/TCP ctl:9/SCTP
      slice s of web dns:5353/UDP dns-tcp:5300/TCP ctl:99/TCP | 10.1.1.7@n2`,
    plan: `cluster-ip 10.96.0.10:53/UDP: pod 10.1.1.7:5353; node+outside 10.1.1.7:5353!
      cluster-ip 10.96.0.10:53/TCP: pod 10.1.1.7:5300; node+outside 10.1.1.7:5300!
      cluster-ip 10.96.0.10:9/SCTP: * reject`,
  },
  {
    title: 'the second of two ports with one number, name or node port gives way',
    cluster: `service web 10.96.0.10 a:80/TCP/30080 b:80/TCP/30081 c:82/TCP/30080
      slice s of web a:1/TCP b:2/TCP c:3/TCP | 10.1.1.7@n2`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:1; node+outside 10.1.1.7:1!
      node-port *:30080/TCP: * 10.1.1.7:1!
      cluster-ip 10.96.0.10:82/TCP: pod 10.1.1.7:3; node+outside 10.1.1.7:3!`,
  },
  {
    title: 'dual-stack: each family has its own addresses and endpoints',
    cluster: `service web 10.96.0.10 fd00:10::a http:80/TCP/30080
      slice four of web http:8080/TCP | 10.1.1.7@n2
      slice six of web http:8080/TCP | fd00:1::7@n2`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      node-port *:30080/TCP: * 10.1.1.7:8080!
      cluster-ip [fd00:10::a]:80/TCP: pod [fd00:1::7]:8080; node+outside [fd00:1::7]:8080!
      node-port *:30080/TCP: * [fd00:1::7]:8080!`,
  },
  {
    title: 'without a cluster address of a family, its external addresses are not served either',
    cluster: `service web 10.96.0.10 http:80/TCP ext=fd00:9::1
      slice six of web http:8080/TCP | fd00:1::7@n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: * reject',
  },
  {
    title: 'only the families of the node are planned',
    context: planContext({ families: [6] }),
    cluster: `service web 10.96.0.10 fd00:10::a http:80/TCP\n${two}`,
    plan: 'cluster-ip [fd00:10::a]:80/TCP: * reject',
  },
  {
    title: 'ClientIP affinity stands on every pool',
    cluster: `service web 10.96.0.10 http:80/TCP affinity=10800\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080 affinity=10800; node+outside 10.1.1.7:8080! affinity=10800`,
  },
]

const masquerading: readonly PlanRow[] = [
  {
    title: 'masqueradeAll: cluster addresses are masqueraded for pods too',
    context: planContext({ masqueradeAll: true }),
    cluster: `service web 10.96.0.10 http:80/TCP\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * ${bothMasqueraded}`,
  },
  {
    title: 'no pod detector: cluster addresses are masqueraded for hairpin flows only',
    context: noDetector,
    cluster: `service web 10.96.0.10 http:80/TCP\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * ${both}`,
  },
  {
    title: 'a detector without prefixes of a family detects nothing in it',
    context: planContext({ podDetector: { kind: 'prefixes', prefixes: [] } }),
    cluster: `service web 10.96.0.10 http:80/TCP\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * ${both}`,
  },
  {
    title: 'an interface detector detects in both families',
    context: planContext({ podDetector: { kind: 'interface', name: 'veth', match: 'prefix' } }),
    cluster: `service web fd00:10::a http:80/TCP\nslice s of web http:8080/TCP | fd00:1::7@n2`,
    plan: 'cluster-ip [fd00:10::a]:80/TCP: pod [fd00:1::7]:8080; node+outside [fd00:1::7]:8080!',
  },
]

const policies: readonly PlanRow[] = [
  {
    title: 'external Local: outside gets local endpoints unmasqueraded, pods and the node all',
    cluster: `service web 10.96.0.10 http:80/TCP/30080 type=NodePort etp=Local\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}
      node-port *:30080/TCP: pod ${both}; node ${bothMasqueraded}; outside ${local}`,
  },
  {
    title: 'external Local without local endpoint: drop for outside, pods and the node are served',
    cluster: `service web 10.96.0.10 http:80/TCP type=LoadBalancer lb=198.18.0.1 etp=Local\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      load-balancer 198.18.0.1:80/TCP: pod 10.1.1.7:8080; node 10.1.1.7:8080!; outside drop`,
  },
  {
    title: 'external Local without any endpoint: reject for everybody',
    cluster: 'service web 10.96.0.10 http:80/TCP type=LoadBalancer lb=198.18.0.1 etp=Local',
    plan: `cluster-ip 10.96.0.10:80/TCP: * reject
      load-balancer 198.18.0.1:80/TCP: * reject`,
  },
  {
    title: 'external Local without pod detector: pods are outside',
    context: noDetector,
    cluster: `service web 10.96.0.10 http:80/TCP ext=198.18.1.1 etp=Local\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * ${both}
      external-ip 198.18.1.1:80/TCP: pod+outside ${local}; node ${bothMasqueraded}`,
  },
  {
    title:
      'external Local: the terminating local endpoint serves outside while others are ready elsewhere',
    cluster: `service web 10.96.0.10 http:80/TCP/30080 type=NodePort etp=Local
      slice s of web http:8080/TCP | 10.1.0.4@n1 terminating | 10.1.1.7@n2`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!
      node-port *:30080/TCP: pod 10.1.1.7:8080; node 10.1.1.7:8080!; outside ${local}`,
  },
  {
    title: 'external Local and masqueradeAll: only cluster addresses are masqueraded',
    context: planContext({ masqueradeAll: true }),
    cluster: `service web 10.96.0.10 http:80/TCP/30080 type=NodePort etp=Local\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * ${bothMasqueraded}
      node-port *:30080/TCP: pod ${both}; node ${bothMasqueraded}; outside ${local}`,
  },
  {
    title: 'internal Local: the cluster address leads to local endpoints only',
    cluster: `service web 10.96.0.10 http:80/TCP itp=Local\n${two}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${local}; node+outside ${local}!`,
  },
  {
    title: 'internal Local without local endpoint: drop, external frontends are served',
    cluster: `service web 10.96.0.10 http:80/TCP/30080 type=NodePort itp=Local\n${away}`,
    plan: `cluster-ip 10.96.0.10:80/TCP: * drop
      node-port *:30080/TCP: * 10.1.1.7:8080!`,
  },
  {
    title: 'internal Local without any endpoint: reject',
    cluster: 'service web 10.96.0.10 http:80/TCP itp=Local',
    plan: 'cluster-ip 10.96.0.10:80/TCP: * reject',
  },
  {
    title: 'an endpoint without node is local nowhere',
    context: planContext({}, { nodeName: '' }),
    cluster: `service web 10.96.0.10 http:80/TCP itp=Local
      slice s of web http:8080/TCP | 10.1.0.4`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: * drop',
  },
]

const health: readonly PlanRow[] = [
  {
    title:
      'a load balancer with external Local answers with its ready local endpoints, each address once',
    cluster: `service web 10.96.0.10 a:80/TCP b:81/TCP type=LoadBalancer etp=Local itp=Local health=32000
      slice s of web a:1/TCP b:2/TCP | 10.1.0.4@n1 | 10.1.0.5@n1 terminating | 10.1.1.7@n2`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.4:1; node+outside 10.1.0.4:1!
      cluster-ip 10.96.0.10:81/TCP: pod 10.1.0.4:2; node+outside 10.1.0.4:2!
      health :32000 1`,
  },
  {
    title: 'only terminating local endpoints: used, but unhealthy',
    cluster: `service web 10.96.0.10 a:80/TCP type=LoadBalancer etp=Local itp=Local health=32000
      slice s of web a:1/TCP | 10.1.0.5@n1 terminating`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.5:1; node+outside 10.1.0.5:1!
      health :32000 0`,
  },
  {
    title: 'external Cluster has no health check',
    cluster: 'service web 10.96.0.10 a:80/TCP type=LoadBalancer health=32000',
    plan: 'cluster-ip 10.96.0.10:80/TCP: * reject',
  },
  {
    title: 'a node port service has no health check',
    cluster: 'service web 10.96.0.10 a:80/TCP type=NodePort etp=Local health=32000',
    plan: 'cluster-ip 10.96.0.10:80/TCP: * reject',
  },
]

for (const row of [...kinds, ...masquerading, ...policies, ...health])
  test(row.title, () => checkPlan(row))

test('pools are named by port and scope, hold each reason, and share an equal array', () => {
  const { pools } = planFirst(`
    service web 10.96.0.10 http:80/TCP/30080 type=NodePort etp=Local
    slice s of web http:8080/TCP | 10.1.0.4@n1`)
  assert.equal(
    pools.map(({ key, selection }) => [key, selection]),
    [
      ['ns/web:http/TCP/cluster/4', 'ready'],
      ['ns/web:http/TCP/local/4', 'ready'],
    ],
  )
  assert.is(pools[0]?.backends, pools[1]?.backends)
  assert.equal(pools[0]?.backends, [{ address: '10.1.0.4', port: 8080, isLocal: true }])
})

test('every pool is named by a frontend', () => {
  for (const { cluster, context } of [...kinds, ...masquerading, ...policies]) {
    const plan = planFirst(cluster, context)
    const named = new Set(
      plan.frontends.flatMap(({ actions }) =>
        Object.values(actions).map((action) => action.kind === 'balance' && action.pool),
      ),
    )
    assert.ok(
      plan.pools.every((pool) => named.has(pool)),
      cluster,
    )
  }
})

test.run()
