import { suite } from 'uvu'
import { checkPlan, type PlanRow } from '../../support/check-plan.ts'

const test = suite('proxy/plan/serviceEndpoints')

const both = '10.1.0.4:8080 10.1.1.7:8080'

const bothMasqueraded = '10.1.0.4:8080! 10.1.1.7:8080!'

const endpoints: readonly PlanRow[] = [
  {
    title: 'no slice: reject',
    cluster: 'service web 10.96.0.10 http:80/TCP/30080',
    plan: `cluster-ip 10.96.0.10:80/TCP: * reject
      node-port *:30080/TCP: * reject`,
  },
  {
    title: 'only endpoints that are not ready: reject',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 unready | 10.1.1.7@n2 dying`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: * reject',
  },
  {
    title: 'terminating endpoints are left out while something is ready',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 terminating | 10.1.1.7@n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!',
  },
  {
    title: 'nothing is ready: those that still serve while they terminate',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 terminating | 10.1.1.7@n2 dying | 10.1.1.8@n2 unready`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.4:8080; node+outside 10.1.0.4:8080!',
  },
  {
    title: 'a published endpoint is used although it terminates',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 published | 10.1.1.7@n2 terminating`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.4:8080; node+outside 10.1.0.4:8080!',
  },
  {
    title: 'several slices are merged and sorted, doubled endpoints are used once',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice b of web http:8080/TCP | 10.1.1.7@n2 | 10.1.0.4@n1
      slice a of web http:8080/TCP | 10.1.0.4@n1 | 10.1.0.3@n1`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.3:8080 ${both}; node+outside 10.1.0.3:8080! ${bothMasqueraded}`,
  },
  {
    title: 'slices may have different numbers for one port name',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice a of web http:8080/TCP | 10.1.1.7@n2
      slice b of web http:9090/TCP | 10.1.1.7@n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080 10.1.1.7:9090; node+outside 10.1.1.7:8080! 10.1.1.7:9090!',
  },
  {
    title: 'of doubled endpoints the one that does not terminate is believed, in either order',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice a of web http:8080/TCP | 10.1.1.7@n2 terminating | 10.1.1.8@n2
      slice b of web http:8080/TCP | 10.1.1.7@n2 | 10.1.1.8@n2 terminating`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080 10.1.1.8:8080; node+outside 10.1.1.7:8080! 10.1.1.8:8080!',
  },
  {
    title: 'between equals the last slice by name is believed',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice b of web http:8080/TCP | 10.1.1.7@n2 unready | 10.1.1.8@n2
      slice a of web http:8080/TCP | 10.1.1.7@n2 | 10.1.1.8@n2 unready`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.8:8080; node+outside 10.1.1.8:8080!',
  },
  {
    title:
      'slice ports without number or with 0, FQDN slices and slices of other proxies are ignored',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice a of web http:-/TCP http:0/TCP | 10.1.1.1@n2
      slice b of web http:8080/TCP FQDN | example.com@n2
      slice c of web http:8080/TCP label=service.kubernetes.io/service-proxy-name | 10.1.1.3@n2
      slice d of web http:8080/TCP | 10.1.1.4@n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.4:8080; node+outside 10.1.1.4:8080!',
  },
  {
    title: 'only the first address of an endpoint counts',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice a of web http:8080/TCP | 10.1.1.7,10.1.1.8@n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!',
  },
]

for (const row of [...endpoints]) test(row.title, () => checkPlan(row))

test.run()
