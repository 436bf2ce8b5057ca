import { suite } from 'uvu'
import { checkPlan, type PlanRow } from '../../support/check-plan.ts'
import { planContext } from '../../support/plan-fixture.ts'

const test = suite('proxy/plan/chooseEndpoints')

const both = '10.1.0.4:8080 10.1.1.7:8080'

const bothMasqueraded = '10.1.0.4:8080! 10.1.1.7:8080!'

const local = '10.1.0.4:8080'

const topology: readonly PlanRow[] = [
  {
    title: 'zone hints on all ready endpoints: those for this zone',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b | 10.1.1.7@n2 zones=b,a | 10.1.1.8@n2 terminating`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!',
  },
  {
    title: 'a ready endpoint without zone hint: hints are ignored',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=a | 10.1.1.7@n2`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}`,
  },
  {
    title: 'no endpoint is hinted for this zone: hints are ignored',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b | 10.1.1.7@n2 zones=c`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}`,
  },
  {
    title: 'the zone of the node is unknown: hints are ignored',
    context: planContext({}, { zone: '' }),
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=a | 10.1.1.7@n2 zones=b`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${both}; node+outside ${bothMasqueraded}`,
  },
  {
    title: 'node hints come before zone hints',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b nodes=n1 | 10.1.1.7@n2 zones=a nodes=n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.0.4:8080; node+outside 10.1.0.4:8080!',
  },
  {
    title: 'node hints without one for this node: zone hints hold',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b nodes=n3 | 10.1.1.7@n2 zones=a nodes=n2`,
    plan: 'cluster-ip 10.96.0.10:80/TCP: pod 10.1.1.7:8080; node+outside 10.1.1.7:8080!',
  },
  {
    title: 'hints do not bind policy Local',
    cluster: `service web 10.96.0.10 http:80/TCP itp=Local
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b | 10.1.1.7@n2 zones=a`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${local}; node+outside ${local}!`,
  },
  {
    title: 'hints do not bind the terminating fallback',
    cluster: `service web 10.96.0.10 http:80/TCP
      slice s of web http:8080/TCP | 10.1.0.4@n1 zones=b terminating | 10.1.1.7@n2 zones=a dying`,
    plan: `cluster-ip 10.96.0.10:80/TCP: pod ${local}; node+outside ${local}!`,
  },
]

for (const row of [...topology]) test(row.title, () => checkPlan(row))

test.run()
