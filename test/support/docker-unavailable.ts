/** There can be no test engine here: the reason for a loud, counted skip (and in CI for a failure). */
export class EngineUnavailable extends Error {}
