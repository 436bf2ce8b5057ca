import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { findBinary } from '../../scripts/support/find-binary.ts'
import { eventually, type RelayBed } from './relay-bed.ts'
import { relayPorts } from './relay-ports.ts'
import type { RelaySubject, RunningRelay } from './relay-subject.ts'

/** Name that figures are compared with. */
export const referenceName = 'haproxy tcp, 1 thread'

/** Connections that a peer is allowed. */
const connectionLimit = 9_950

/** The relays of others that are installed; `print` is told how to get those that are not. */
export function peerSubjects(print: (line: string) => void): readonly RelaySubject[] {
  return [haproxy(print), nginxStream(print)].filter((subject) => subject !== undefined)
}

/** The module of nginx that relays streams: a line that loads it, or an empty text where it is built in;
 *  undefined: there is none. */
function streamModule(nginx: string): string | undefined {
  const { stderr } = spawnSync(nginx, ['-V'], { encoding: 'utf8' })
  if (/--with-stream(?:\s|$)/.test(stderr)) return ''
  const folder = /--modules-path=(\S+)/.exec(stderr)?.[1]
  const path = `${folder}/ngx_stream_module.so`
  return spawnSync('test', ['-r', path]).status === 0 ? `load_module ${path};` : undefined
}

function haproxy(print: (line: string) => void): RelaySubject | undefined {
  const path = findBinary('haproxy')
  if (path === undefined) {
    print('haproxy is left out, and nothing is compared: apt-get install haproxy')
    return undefined
  }
  return {
    name: referenceName,
    relays: ['TCP'],
    async start(bed) {
      const socket = `${bed.folder}/haproxy.sock`
      const configuration = bed.write('haproxy.cfg', haproxyConfiguration(socket))
      const child = bed.spawn('haproxy', path, ['-db', '-f', configuration])
      return {
        pid: child.pid ?? 0,
        changeEndpoint: (port) =>
          tellHaproxy(socket, `set server changing/endpoint addr 127.0.0.1 port ${port}`),
        stop: () => bed.stop(child),
      }
    },
  }
}

function haproxyConfiguration(socket: string): string {
  const { relay, changing, http, named } = relayPorts
  return `global
  nbthread 1
  maxconn ${connectionLimit}
  stats socket ${socket} level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen relay
  bind 127.0.0.1:${relay} maxconn ${connectionLimit}
  server endpoint 127.0.0.1:${http}
listen changing
  bind 127.0.0.1:${changing}
  server endpoint 127.0.0.1:${named[0]}
`
}

async function tellHaproxy(path: string, command: string): Promise<void> {
  const socket = connect(path)
  socket.end(`${command}\n`).resume()
  await once(socket, 'close')
}

function nginxStream(print: (line: string) => void): RelaySubject | undefined {
  const path = findBinary('nginx')
  const load = path === undefined ? undefined : streamModule(path)
  if (path === undefined || load === undefined) {
    print('nginx stream is left out: apt-get install nginx libnginx-mod-stream')
    return undefined
  }
  const write = (bed: RelayBed, endpoint: number): string =>
    bed.write('nginx-stream.conf', nginxConfiguration(bed, load, endpoint))
  return {
    name: 'nginx stream, 1 worker',
    relays: ['TCP', 'UDP'],
    async start(bed): Promise<RunningRelay> {
      const configuration = write(bed, relayPorts.named[0])
      const child = bed.spawn('nginx-stream', path, ['-c', configuration])
      const master = child.pid ?? 0
      return {
        pid: await eventually('nginx has no worker', () => childOf(master)),
        changeEndpoint: async (port) => {
          write(bed, port)
          child.kill('SIGHUP')
        },
        stop: () => bed.stop(child),
      }
    },
  }
}

function childOf(pid: number): number | undefined {
  const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return first === '' ? undefined : Number(first)
}

function nginxConfiguration(bed: RelayBed, load: string, endpoint: number): string {
  const { relay, changing, http, echo } = relayPorts
  return `${load}
daemon off;
worker_processes 1;
pid ${bed.folder}/nginx-stream.pid;
error_log stderr error;
worker_rlimit_nofile ${2 * connectionLimit + 50};
events { worker_connections ${2 * connectionLimit + 40}; }
stream {
  proxy_timeout 600s;
  server { listen 127.0.0.1:${relay} backlog=4096; proxy_pass 127.0.0.1:${http}; tcp_nodelay on; }
  server { listen 127.0.0.1:${relay} udp; proxy_pass 127.0.0.1:${echo}; }
  server { listen 127.0.0.1:${changing}; proxy_pass 127.0.0.1:${endpoint}; }
}
`
}
