/** Where reads go, from what was last seen of both servers. Pure. */
import type { ReadsFrom, RouteReason } from './environment-client.js';
import type { Replication } from './replication.js';
import { lagBytes } from './replication.js';

/** A link that is down for longer is no hiccup: what the operational lacks, however little, it will not have soon. */
export const LINK_DOWN_SECONDS_MAX = 5;

/** `busy`: it lives, but its connection is taken by a command that blocks, so that it could not be asked. */
export type Seen = Replication | 'down' | 'silent' | 'loading' | 'busy';

export interface Route {
  readonly readsFrom: ReadsFrom;
  readonly reason: RouteReason;
  readonly lagBytes: number | undefined;
}

export interface RouteInput {
  readonly vault: Seen;
  readonly operational: Seen;
  readonly lagBytesMax: number;
  readonly now: ReadsFrom;
}

export function decideRoute({ vault, operational, lagBytesMax, now }: RouteInput): Route {
  const to = (readsFrom: ReadsFrom, reason: RouteReason, lag?: number): Route => ({ readsFrom, reason, lagBytes: lag });
  // Old data are better than none: what only the operational can answer, it answers.
  const instead = (reason: RouteReason, lag?: number): Route =>
    to(mayAnswer(vault) ? 'vault' : 'operational', reason, lag);

  if (operational === 'down' || operational === 'silent' || operational === 'loading') return instead(operational);
  if (operational !== 'busy' && operational.loading) return instead('loading');
  if (vault === 'down' || vault === 'silent' || vault === 'loading') return to('operational', 'healthy');
  if (vault === 'busy' || operational === 'busy') return to(now, 'healthy');

  const lag = lagBytes(vault.position, operational.position);
  if (lag === undefined) return instead('other-history');
  if (lag > lagBytesMax) return instead('lagging', lag);
  const isAway = !operational.linkUp && operational.linkDownSeconds > LINK_DOWN_SECONDS_MAX;
  return isAway && lag > 0 ? instead('link-down', lag) : to('operational', 'healthy', lag);
}

function mayAnswer(vault: Seen): boolean {
  return vault === 'busy' || (typeof vault === 'object' && !vault.loading);
}
