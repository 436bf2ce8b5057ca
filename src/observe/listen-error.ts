/** A server could not listen; the message is one line that says where, why and what to do. */
export class ListenError extends Error {
  readonly code = 'PORTOLAN_LISTEN'

  constructor(what: string, address: string, cause: NodeJS.ErrnoException) {
    super(`${what} on ${address}: ${explain(cause)}`, { cause })
    this.name = 'ListenError'
  }
}

function explain(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return 'the port is in use; end the other program (ss -ltunp names it) or choose another port'
    case 'EADDRNOTAVAIL':
      return 'this machine does not have the address; choose one of its own'
    case 'EACCES':
      return 'not permitted; ports below 1024 need CAP_NET_BIND_SERVICE'
    default:
      return cause.message
  }
}
