import type { EnvironmentFacts, RestoreFacts } from '../facts.js';
import type { Rule, Sighting } from './rule.js';

export const restoreUnfinished: Rule = {
  code: 'restore-unfinished',
  severity: 'error',
  means:
    'A restore of the vault was cut off. The vault’s old data and the restored ones both lie here, and nothing that could lose one of them is repaired; the operational answers reads with what it has.',
  repairs: 'no; `restore ENV` finishes it, and `restore ENV --abort` puts the old data back',
  see: (facts) => (facts.restore === undefined ? [] : [sighting(facts, facts.restore)]),
};

function sighting({ environment }: EnvironmentFacts, { phase, source, startedAt }: RestoreFacts): Sighting {
  const { name } = environment;
  const finish = `nexus3 restore ${name}`;
  return {
    instance: 'vault',
    message: MESSAGES[phase],
    evidence: { phase, source, startedAt },
    remedy: REMEDIES[phase](finish),
    fixable: false,
  };
}

const MESSAGES: Readonly<Record<RestoreFacts['phase'], string>> = {
  replacing:
    'a restore was cut off while the vault’s data were being replaced: it serves nobody until that is finished',
  proving: 'a restore was cut off before the restored data were proven: the vault serves nobody until they are',
  opening: 'a restore was cut off when the restored data were proven: they are what the vault serves',
  'taking-back': 'a restore failed, and was cut off while the old data were put back: they are what will serve',
  unreadable: 'a restore was begun, but what it has written down cannot be read',
};

const REMEDIES: Readonly<Record<RestoreFacts['phase'], (finish: string) => string>> = {
  replacing: eitherWay,
  proving: eitherWay,
  opening: (finish) => `Finish it: ${finish}`,
  'taking-back': (finish) => `Put the old data back: ${finish} --abort; or try again: ${finish}`,
  unreadable: (finish) => `${finish} says what to do`,
};

function eitherWay(finish: string): string {
  return `Finish it: ${finish}; or put the old data back: ${finish} --abort`;
}
