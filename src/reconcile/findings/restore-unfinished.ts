import type { EnvironmentFacts, RestoreFacts } from '../facts.js';
import { isFenced, isHeld } from '../facts.js';
import type { Rule, Sighting } from './rule.js';

export const restoreUnfinished: Rule = {
  code: 'restore-unfinished',
  severity: 'error',
  means:
    'A restore of the vault was cut off. The vault’s old data and the restored ones both lie here, and nothing that could lose one of them is repaired; the operational answers reads with what it has.',
  repairs: 'no; `restore ENV` finishes it, and `restore ENV --abort` puts the old data back',
  see: (facts) => (facts.restore === undefined ? [] : [sighting(facts, facts.restore)]),
};

function sighting(facts: EnvironmentFacts, { phase, source, startedAt }: RestoreFacts): Sighting {
  const { name } = facts.environment;
  const finish = `nexus3 restore ${name}`;
  return {
    instance: 'vault',
    message: phase === 'opening' ? openingMessage(facts) : MESSAGES[phase],
    evidence: { phase, source, startedAt },
    remedy: phase === 'opening' && isHeld(facts) ? anew(name) : REMEDIES[phase](finish),
    fixable: false,
  };
}

const MESSAGES: Readonly<Record<Exclude<RestoreFacts['phase'], 'opening'>, string>> = {
  replacing:
    'a restore was cut off while the vault’s data were being replaced: it serves nobody until that is finished',
  proving: 'a restore was cut off before the restored data were proven: the vault serves nobody until they are',
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

function openingMessage(facts: EnvironmentFacts): string {
  const cutOff = 'a restore was cut off when the restored data were proven';
  if (isHeld(facts)) return `${cutOff}, and they are lost since: the last-copy guard holds the vault`;
  return isFenced(facts)
    ? `${cutOff}: the vault has them, but no application may log in until it is finished`
    : `${cutOff}: they are what the vault serves`;
}

function anew(name: string): string {
  return `Restore anew: nexus3 restore ${name}; or rebuild the vault from its operational: nexus3 recover ${name} --vault`;
}

function eitherWay(finish: string): string {
  return `Finish it: ${finish}; or put the old data back: ${finish} --abort`;
}
