import type { SocketAddress } from '../../reactor/socket-address.ts'
import type { ServicePort } from './service-port.ts'

/** Where a service port would like to listen, best first. Depends on nothing but its names, so that a client may
 *  remember it:
 *
 *      127.x.y.z:port           an address of the service's own, the port that it has in the cluster
 *      127.x.y.z:8000+port      the same where ports below 1024 are for root only
 *      127.0.0.1:20000..29999   where the system has but one address on loopback (macOS)
 *
 *  The second address and the further ports are for the rare case that two names give the same, or that
 *  somebody else listens there. */
export function wantedPlaces({
  key,
  service,
  port,
}: Pick<ServicePort, 'key' | 'service' | 'port'>): readonly SocketAddress[] {
  const own = [0, 1].flatMap((attempt) => {
    const address = ownAddress(service, attempt)
    const ports = port < firstFreePort ? [port, liftedPorts + port] : [port]
    return ports.map((each): SocketAddress => ({ address, port: each }))
  })
  const first = hash(key)
  const shared = Array.from({ length: sharedAttempts }, (_, attempt): SocketAddress => {
    return { address: '127.0.0.1', port: sharedPorts + ((first + attempt) % sharedPortCount) }
  })
  return [...own, ...shared]
}

/** Ports below are for root, unless net.ipv4.ip_unprivileged_port_start says otherwise. */
const firstFreePort = 1024

/** 80 becomes 8080, 443 becomes 8443. None of them is one that browsers refuse, as 10080 is. */
const liftedPorts = 8_000

/** Below the ports that systems give to clients: 32,768 and up on Linux, 49,152 and up elsewhere. */
const sharedPorts = 20_000
const sharedPortCount = 10_000
const sharedAttempts = 32

/** In 127.64.0.0/10: far from 127.0.0.1, 127.0.1.1 and 127.0.0.53, which systems use. */
function ownAddress(service: string, attempt: number): string {
  const bits = hash(`${service}#${attempt}`) & 0x3f_ffff
  return `127.${64 + (bits >>> 16)}.${(bits >>> 8) & 255}.${bits & 255}`
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c_9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x0100_0193) >>> 0
  return value
}
