import type { ApiTransport } from './api-transport.ts'
import { asJsonObject, FieldReader } from './json-fields.ts'

/** The version that the API server tells, such as `v1.36.2`: the cheapest way to learn at the start
 *  whether it can be reached and trusted. Rejects like `ApiTransport.getJson`, with one line that
 *  says what to do. */
export async function readServerVersion(
  transport: ApiTransport,
  signal: AbortSignal,
): Promise<string> {
  const reader = new FieldReader()
  const answer = asJsonObject(await transport.getJson('/version', signal)) ?? {}
  const version = reader.text(answer, 'gitVersion', 100)
  if (version === '') reader.fault('gitVersion', answer.gitVersion, 'a version such as v1.36.2')
  reader.finish('GET /version')
  return version
}
