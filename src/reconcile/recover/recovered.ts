/** What one recovery did, for the report. */
export interface Recovered {
  readonly keys: number;
  readonly graphs: number;
  readonly keptAside: string | null;
}
