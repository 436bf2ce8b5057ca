import { findBinary } from '../../scripts/support/find-binary.ts'
import { accepting, type RelayBed } from './relay-bed.ts'
import { relayPorts } from './relay-ports.ts'

/** Bytes of the answers at `/`, `/large` and `/bulk`. */
export const answerBytes = { small: 2, large: 100_000, bulk: 2 ** 30 } as const

/** Starts what is relayed to: nginx with fixed answers, an echo, and two that say their port. Rejects when nginx is
 *  not installed. */
export async function startBackends(bed: RelayBed): Promise<void> {
  const path = findBinary('nginx')
  if (path === undefined) throw new Error('the HTTP backend is nginx: apt-get install nginx-light')
  bed.write('large', 'x'.repeat(answerBytes.large))
  bed.writeHole('bulk', answerBytes.bulk)
  bed.spawn('nginx-http', path, ['-c', bed.write('nginx-http.conf', configuration(bed.folder))])
  await bed.script(new URL('./echo-server.ts', import.meta.url), { port: relayPorts.echo })
  await bed.script(new URL('./named-servers.ts', import.meta.url), { ports: relayPorts.named })
  await accepting(relayPorts.http)
  // The first reader of a file waits for its pages.
  const order = { port: relayPorts.http, bytes: answerBytes.bulk }
  const { child } = await bed.script(new URL('./bulk-client.ts', import.meta.url), order)
  await bed.stop(child)
}

/** The folder is readable for its owner only, so nginx stays who starts it. */
function configuration(folder: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `${user}
daemon off;
master_process off;
pid ${folder}/nginx-http.pid;
error_log stderr error;
# When few are free, nginx closes those that are kept alive.
events { worker_connections 16000; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_header_timeout 600s;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  open_file_cache max=10;
  server {
    listen 127.0.0.1:${relayPorts.http} backlog=4096;
    root ${folder};
    location = / { return 200 "ok"; }
  }
}
`
}
