import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeCertificates } from '../dns/server/test-certificates.ts'
import { DnsLab } from '../support/dns-lab.ts'
import { needsRoot } from '../support/needs-root.ts'

/** Programs and resolver libraries as pods use them, against the daemon, with a pod's resolv.conf. */
const clients = suite('dns: real clients')
const certificates = makeCertificates()
let lab: DnsLab | undefined

const manifests = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints:
${Array.from({ length: 80 }, (_, index) => `- {addresses: [10.244.0.${index + 1}]}`).join('\n')}
`

function corefile(): string {
  const names = 'kubernetes cluster.local in-addr.arpa'
  const transfer = 'transfer {\n  to *\n }'
  const plain = `.:53 {\n ${names}\n ${transfer}\n}\n`
  if (certificates === undefined) return plain
  const tls = `tls ${certificates.certificate} ${certificates.key}`
  return `${plain}tls://.:853 https://.:443 {\n ${tls}\n ${names}\n}\n`
}

clients.before(async () => {
  if (process.getuid?.() !== 0) return
  lab = await DnsLab.open()
  mkdirSync(join(lab.folder, 'objects'))
  writeFileSync(join(lab.folder, 'objects/cluster.yaml'), manifests)
  const conf = lab.write('Corefile', corefile())
  await lab.portolan('--conf', conf, '--manifests', join(lab.folder, 'objects'))
})
clients.after(async () => {
  await lab?.close()
  certificates?.remove()
})

/** What a program of the lab prints, and what must be in it. */
interface ClientRow {
  readonly title: string
  readonly command: readonly string[]
  readonly expected: RegExp
}

const web = 'web.default.svc.cluster.local'
const rows: readonly ClientRow[] = [
  { title: 'dig gets an address', command: ['dig', '+short', web], expected: /^10\.96\.0\.10\n$/ },
  {
    title: 'dig gets a service record over TCP',
    command: ['dig', '+tcp', '+short', `_http._tcp.${web}`, 'SRV'],
    expected: /^0 100 80 web\.default\.svc\.cluster\.local\.\n$/,
  },
  {
    title: 'dig asks again over TCP when the answer does not fit',
    command: ['dig', '+bufsize=512', '+stats', 'db.default.svc.cluster.local'],
    expected: /Truncated, retrying in TCP mode[\s\S]*ANSWER: 80[\s\S]*\(TCP\)/,
  },
  {
    title: 'dig gets the name of an address',
    command: ['dig', '+short', '-x', '10.96.0.10'],
    expected: /^web\.default\.svc\.cluster\.local\.\n$/,
  },
  {
    title: 'dig transfers the zone',
    command: ['dig', '+onesoa', 'cluster.local', 'AXFR'],
    expected: /web\.default\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\.96\.0\.10[\s\S]*XFR size/,
  },
  {
    title: 'kdig asks over TLS',
    command: ['kdig', '+tls', '+short', '@127.0.0.1', web],
    expected: /^10\.96\.0\.10\n$/,
  },
  {
    title: 'dig asks over HTTPS',
    command: ['dig', '+https', '+short', '@127.0.0.1', web],
    expected: /^10\.96\.0\.10\n$/,
  },
  {
    title: 'nslookup walks the search path',
    command: ['nslookup', 'web'],
    expected: /Name:\s+web\.default\.svc\.cluster\.local\nAddress: 10\.96\.0\.10/,
  },
  {
    title: "glibc's resolver walks the search path",
    command: ['getent', 'ahostsv4', 'web'],
    expected: /^10\.96\.0\.10\s+STREAM web\.default\.svc\.cluster\.local/,
  },
  {
    title: "glibc's resolver gets all addresses of a long answer",
    command: ['sh', '-c', 'getent ahostsv4 db.default | grep -c STREAM'],
    expected: /^80\n$/,
  },
  {
    title: "Node's c-ares reads resolv.conf and gets addresses and service records",
    command: [process.execPath, '-e', caresProgram()],
    expected: /^10\.96\.0\.10 80\n$/,
  },
]

function caresProgram(): string {
  return `const { resolve4, resolveSrv } = require('node:dns/promises')
Promise.all([resolve4('${web}'), resolveSrv('_http._tcp.${web}')])
  .then(([[address], [{ port }]]) => console.log(address, port))`
}

for (const { title, command, expected } of rows) {
  const [program = '', ...words] = command
  const needed = program === process.execPath ? ['ip'] : ['ip', program]
  const isSecure = /TLS|HTTPS/.test(title)
  needsRoot(clients, isSecure ? [...needed, 'openssl'] : needed)(title, async () => {
    assert.match((await lab?.run(program, ...words)) ?? '', expected)
  })
}

needsRoot(clients, ['ip', 'musl-gcc'])("musl's resolver walks the search path", async () => {
  assert.ok(lab)
  const source = lab.write('resolve.c', muslProgram)
  const binary = join(lab.folder, 'resolve')
  execFileSync('musl-gcc', ['-static', '-o', binary, source], { timeout: 60_000 })
  assert.is(await lab.run(binary, 'web'), '10.96.0.10\n')
  assert.is(await lab.run(binary, 'absent.cluster.local.'), 'error -2\n')
})

const muslProgram = `#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

int main(int count, char **words) {
  struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found;
  int error = getaddrinfo(words[1], 0, &hints, &found);
  char text[64];
  if (error) return printf("error %d\\n", error) < 0;
  for (; found; found = found->ai_next) {
    struct sockaddr_in *address = (struct sockaddr_in *)found->ai_addr;
    puts(inet_ntop(AF_INET, &address->sin_addr, text, sizeof text));
  }
  return 0;
}
`

clients.run()
