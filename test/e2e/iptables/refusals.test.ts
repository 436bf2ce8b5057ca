import process from 'node:process'
import { proxyModeVariable } from '../../support/proxy-daemon.ts'

// The same suite; the node's proxy runs in iptables mode.
process.env[proxyModeVariable] = 'iptables'
await import('../refusals.test.ts')
