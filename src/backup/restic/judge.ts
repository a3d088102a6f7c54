/** Who says whether what lies in a folder can be used: whoever knows the secrets. Types only. */
import type { BackupPlace } from '../faults.js';

export interface JudgedLineage {
  readonly usable: boolean;
  /** The last second that it knows of, since 1970; -Infinity: nobody can say. */
  readonly reach: number;
}

export interface Judge {
  /** @param path of a file of keys */
  keys(path: string): Promise<boolean>;
  /** @param deep its snapshot is read and hashed */
  backup(root: string, place: BackupPlace, deep: boolean): Promise<boolean>;
  /** @param withParts all that its index names is there */
  lineage(root: string, env: string, name: string, withParts: boolean): Promise<JudgedLineage>;
}
