/** Flows by the frontend that they came to, with the endpoint that they have. */
export class FlowIndex<F> {
  readonly #frontends = new Map<string, Map<F, string>>()
  readonly #frontendOf = new Map<F, string>()

  add(flow: F, frontend: string, endpoint: string): void {
    const flows = this.#frontends.get(frontend) ?? new Map<F, string>()
    this.#frontends.set(frontend, flows)
    flows.set(flow, endpoint)
    this.#frontendOf.set(flow, frontend)
  }

  remove(flow: F): void {
    const frontend = this.#frontendOf.get(flow)
    if (frontend === undefined) return
    this.#frontendOf.delete(flow)
    const flows = this.#frontends.get(frontend)
    flows?.delete(flow)
    if (flows?.size === 0) this.#frontends.delete(frontend)
  }

  /** The flows of a frontend whose endpoint does not stay. */
  leaving(frontend: string, stays: (endpoint: string) => boolean): F[] {
    const flows = [...(this.#frontends.get(frontend) ?? [])]
    return flows.filter(([, endpoint]) => !stays(endpoint)).map(([flow]) => flow)
  }
}
