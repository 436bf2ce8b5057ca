import { suite } from 'uvu'
import { checkPlan, type PlanRow } from '../../support/check-plan.ts'
import { planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/plan/serviceAddresses')

const ranged = (from: string) =>
  `service web 10.96.0.10 http:80/TCP/30080 type=LoadBalancer lb=198.18.0.1 ext=198.18.1.1 from=${from}`

const rangedPlan = (sources: string) => `cluster-ip 10.96.0.10:80/TCP: * reject
      load-balancer 198.18.0.1:80/TCP${sources}: * reject
      external-ip 198.18.1.1:80/TCP: * reject
      node-port *:30080/TCP: * reject`

const sourceRanges: readonly PlanRow[] = [
  {
    title: 'source ranges bind load-balancer addresses only',
    cluster: ranged('203.0.113.0/24,10.0.0.0/8'),
    plan: rangedPlan(' from 203.0.113.0/24 10.0.0.0/8'),
  },
  {
    title: 'ranges of the other family do not count; none left: everybody',
    cluster: ranged('2001:db8::/32'),
    plan: rangedPlan(''),
  },
  {
    title: 'ranges of the other family do not count beside one of this family',
    cluster: ranged('2001:db8::/32,203.0.113.9/24'),
    plan: rangedPlan(' from 203.0.113.0/24'),
  },
  { title: 'a range of length 0: everybody', cluster: ranged('0.0.0.0/0'), plan: rangedPlan('') },
  {
    title: 'a range with the main address of the node admits the load balancer itself',
    cluster: ranged('192.168.0.0/24'),
    plan: rangedPlan(' from 192.168.0.0/24 198.18.0.1/32'),
  },
  {
    title: 'another address of the node does not',
    context: planContext({}, { addresses: ['192.168.0.1', '172.31.7.1'] }),
    cluster: ranged('172.31.7.0/24'),
    plan: rangedPlan(' from 172.31.7.0/24'),
  },
  {
    title: 'nested and doubled ranges are kept once',
    cluster: ranged('10.1.0.0/16,10.0.0.0/8,10.2.3.4/8,203.0.113.0/24,bad'),
    plan: rangedPlan(' from 10.0.0.0/8 203.0.113.0/24'),
  },
]

for (const row of [...sourceRanges]) test(row.title, () => checkPlan(row))

test.run()
