/** Tokens in words and in JSON. Pure. */
import type { TokenGrant } from '../../locker/locker.js';
import type { ListedGrant } from '../../reconcile/tokens.js';
import type { Page } from './paint.js';

export interface GrantDocument {
  readonly id: string;
  readonly env: string;
  readonly users: readonly string[];
  readonly label: string;
  readonly file: string;
  readonly createdAt: string;
}

export function grantDocument({ id, env, names, label, file, createdAt }: TokenGrant): GrantDocument {
  return { id, env, users: names, label, file, createdAt };
}

/** `half revoked`: `revoke` was cut off. */
export type GrantState = 'in force' | 'not in force' | 'half revoked';

export function stateOf({ revoked, inForce }: ListedGrant): GrantState {
  if (revoked) return 'half revoked';
  return inForce ? 'in force' : 'not in force';
}

/** A few lines each, which fit a narrow page as well as a wide one. */
export function renderGrants(grants: readonly ListedGrant[], { paint, quiet }: Page): readonly string[] {
  if (grants.length === 0) return quiet ? [] : ['There is no token. To make one: nexus3 locker grant ENV'];
  const lines = grants.flatMap((grant) => {
    const state = stateOf(grant);
    return [
      `${grant.id}  ${grant.env}: ${grant.names.join(', ')}`,
      `    ${paint(state === 'in force' ? 'good' : 'bad', state)}, since ${grant.createdAt}`,
      ...(grant.label === '' ? [] : [`    ${grant.label}`]),
      `    ${grant.file}`,
    ];
  });
  const broken = grants.some((grant) => stateOf(grant) !== 'in force');
  return broken && !quiet ? [...lines, 'To put that right: nexus3 locker grants --repair'] : lines;
}
