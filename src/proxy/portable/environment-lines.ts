import type { PlacedPort } from './place-table.ts'

/** Lines for a shell to source, with the names that the kubelet gives to the containers of a pod: services of
 *  `namespace` as they are (`WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, `WEB_SERVICE_PORT_HTTP`,
 *  `WEB_PORT_80_TCP_ADDR`, `WEB_PORT_80_TCP_PORT`), those of other namespaces with theirs in front
 *  (`OTHER_WEB_SERVICE_HOST`). Ports that are served nowhere are left out. */
export function environmentLines(ports: readonly PlacedPort[], namespace: string): string {
  const lines = new Map<string, string>()
  const set = (name: string, value: string | number): void => {
    if (/^[A-Z_][A-Z0-9_]*$/.test(name) && !lines.has(name)) lines.set(name, `${value}`)
  }
  for (const { service, portName, protocol, port, place } of ports) {
    if (place === undefined) continue
    const [space = '', name = ''] = service.split('/')
    const prefix = variableName(space === namespace ? name : `${space}_${name}`)
    const { address, port: placePort } = place
    const scheme = protocol.toLowerCase()
    // The first port of a service gives its values, as with the kubelet.
    set(`${prefix}_SERVICE_HOST`, address)
    set(`${prefix}_SERVICE_PORT`, placePort)
    if (portName !== '') set(`${prefix}_SERVICE_PORT_${variableName(portName)}`, placePort)
    set(`${prefix}_PORT`, `${scheme}://${address}:${placePort}`)
    const link = `${prefix}_PORT_${port}_${protocol}`
    set(link, `${scheme}://${address}:${placePort}`)
    set(`${link}_PROTO`, scheme)
    set(`${link}_ADDR`, address)
    set(`${link}_PORT`, placePort)
  }
  return [...lines].map(([name, value]) => `export ${name}=${value}\n`).join('')
}

function variableName(text: string): string {
  return text.toUpperCase().replaceAll(/[-.]/g, '_')
}
