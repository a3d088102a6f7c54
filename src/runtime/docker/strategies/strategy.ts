/** One way of finding the Docker engine of this host. */
export interface EngineStrategy {
  /** As it is named in evidence: `$DOCKER_HOST`, `the default socket`. */
  readonly name: string;
  find(environment: NodeJS.ProcessEnv, connectMs: number): Promise<StrategyAnswer>;
}

export type StrategyAnswer =
  | { readonly kind: 'socket'; readonly socketPath: string }
  /** The next one is tried. */
  | { readonly kind: 'not-applicable'; readonly why: string }
  /**
   * This is the engine that was asked for, or that runs everybody's containers, but it cannot be used. No other is
   * tried: on another engine every instance would seem to be missing, and a repair would make them all again.
   */
  | { readonly kind: 'unusable'; readonly why: string; readonly hint: string };
