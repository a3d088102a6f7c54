/** Colours, by meaning. */
import { styleText } from 'node:util';

export type Tone = 'bad' | 'warn' | 'good' | 'strong' | 'faint' | 'plain';
export type Paint = (tone: Tone, text: string) => string;

const STYLE = { bad: 'red', warn: 'yellow', good: 'green', strong: 'bold', faint: 'dim' } as const;

/** Whether to colour is decided once for each stream, so styleText is not to decide again for process.stdout. */
export function makePaint(enabled: boolean): Paint {
  return (tone, text) =>
    !enabled || tone === 'plain' || text === '' ? text : styleText(STYLE[tone], text, { validateStream: false });
}

/** What lines are laid out for. */
export interface Page {
  readonly width: number;
  readonly paint: Paint;
  /** Only what was asked for: no advice, no list of what is well. */
  readonly quiet: boolean;
}
