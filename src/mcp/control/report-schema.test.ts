/** The documents that tools promise are those that the operations make: no field more, none less. */
import { describe, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { BackupCreateReport } from '../../reconcile/backup/create.js';
import type { BackupListReport, ListedEnvironment } from '../../reconcile/backup/list.js';
import type { RecoverReport } from '../../reconcile/recover/recover.js';
import type { Report } from '../../reconcile/report.js';
import type { RestoreReport } from '../../reconcile/restore/report.js';
import type { RotateReport } from '../../reconcile/rotate/rotate.js';
import type { BACKUP_CREATED, BACKUP_LISTED, RECOVERED, REPORT, RESTORE_PLANNED, ROTATION } from './report-schema.js';

/** Codes are text in a schema: new ones may come. */
type Loose<T> = T extends string
  ? string
  : T extends boolean | number | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Loose<Item>[]
      : { readonly [K in keyof T]: Loose<T[K]> };

type Promised<Shape extends z.ZodRawShape> = Loose<z.output<z.ZodObject<Shape>>>;

interface ListedMore extends Omit<BackupListReport, 'environments'> {
  readonly environments: readonly (ListedEnvironment & { readonly backupsTotal: number })[];
}

describe('what a tool promises is what the operation gives', () => {
  it('status, check, plan_fix, apply_fix', () => {
    expectTypeOf<Promised<typeof REPORT>>().toEqualTypeOf<Loose<Report>>();
  });

  it('recover', () => {
    expectTypeOf<Promised<typeof RECOVERED>>().toEqualTypeOf<Loose<RecoverReport & { readonly ok: true }>>();
  });

  it('backup_create, backup_list', () => {
    expectTypeOf<Promised<typeof BACKUP_CREATED>>().toEqualTypeOf<Loose<BackupCreateReport>>();
    expectTypeOf<Promised<typeof BACKUP_LISTED>>().toEqualTypeOf<Loose<ListedMore>>();
  });

  it('restore_preview', () => {
    expectTypeOf<Promised<typeof RESTORE_PLANNED>>().toEqualTypeOf<Loose<RestoreReport>>();
  });

  it('rotate', () => {
    expectTypeOf<Promised<typeof ROTATION>>().toEqualTypeOf<Loose<RotateReport>>();
  });
});
