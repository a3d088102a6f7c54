/** What care tools take. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';

/** Of nexus3.yaml: what is longer is no name. */
const NAME_CHARS_MAX = 100;
/** More than anybody names one by one. */
const NAMES_MAX = 1_000;

const NAME = z.string().min(1).max(NAME_CHARS_MAX);

export const environment = NAME.describe('The name of one environment, as status gives it');

export function environments(description: string): z.ZodOptional<z.ZodArray<z.ZodString>> {
  return z.array(NAME).max(NAMES_MAX).optional().describe(description);
}

/** All of them are never meant by saying nothing. @throws Nexus3Error USAGE */
export function refuseUnnamed({ envs, all }: { readonly envs: readonly string[]; readonly all: boolean }): void {
  if (all === (envs.length === 0)) return;
  throw new Nexus3Error('USAGE', all ? 'all: true leaves no choice of environments.' : 'Nothing is named.', {
    hint: 'Name environments, or give all: true and leave environments out.',
  });
}
