/** For tests of Locker that are not about its audit. */
export const QUIET_AUDIT = { auditEntriesMax: 1_000, warn: (): void => undefined } as const;
