import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wantedPlaces } from '../../../src/proxy/portable/wanted-places.ts'

const test = suite('proxy/portable/wanted-places')

const web = { key: 'default/web:http/TCP', service: 'default/web', port: 80 }
const api = { key: 'default/web:api/TCP', service: 'default/web', port: 8080 }

test('the first place has the port of the service, a low port has a second one for everybody', () => {
  const [first, second] = wantedPlaces(web)
  assert.match(first?.address ?? '', /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/)
  assert.is(first?.port, 80)
  assert.equal(second, { address: first?.address, port: 8080 })
})

test('ports of a service share its address, services have addresses of their own', () => {
  assert.is(wantedPlaces(api)[0]?.address, wantedPlaces(web)[0]?.address)
  assert.is(wantedPlaces(api)[0]?.port, 8080)
  const others = Array.from({ length: 200 }, (_, index) => {
    const service = `default/web-${index}`
    return wantedPlaces({ key: `${service}:/TCP`, service, port: 80 })[0]?.address
  })
  assert.is(new Set(others).size, 200)
})

test('the same names give the same places, today and tomorrow', () => {
  assert.equal(wantedPlaces(web)[0], { address: '127.65.42.232', port: 80 })
  assert.equal(wantedPlaces(web), wantedPlaces({ ...web }))
})

test('where loopback has one address only, ports are left', () => {
  const shared = wantedPlaces(web).filter(({ address }) => address === '127.0.0.1')
  assert.is(shared.length, 32)
  assert.ok(shared.every(({ port }) => port >= 20_000 && port < 30_000))
})

test.run()
