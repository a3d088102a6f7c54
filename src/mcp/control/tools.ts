/** The tools of the care server, and what an agent is told before it calls any. */
import { Nexus3Error } from '../../errors.js';
import type { Tool } from '../tool.js';
import { backupCreate, backupList, restorePreview } from './backup-tools.js';
import type { ControlContext } from './context.js';
import { check, planFix, status } from './look-tools.js';
import type { Licence } from './next-step.js';
import { inTools, resultInTools } from './next-step.js';
import { applyFix, recover } from './repair-tools.js';
import { rotate } from './rotate-tool.js';

const LOOKING = [status, check, planFix, backupList, restorePreview];
const CHANGING = [applyFix, recover, backupCreate, rotate];
/** Of one line of evidence: with a thousand environments, their names alone are long. */
const EVIDENCE_CHARS_MAX = 2_000;

/** Those that change something are there only where that is allowed. */
export function controlTools({ allowChanges }: Licence): readonly Tool<ControlContext>[] {
  const tools = allowChanges ? [...LOOKING, ...CHANGING] : LOOKING;
  return tools.map((one) => speakingOfTools(one, { allowChanges }));
}

/** What it says to do next are tools, where there is one. */
function speakingOfTools(one: Tool<ControlContext>, licence: Licence): Tool<ControlContext> {
  const { question } = one;
  const said = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw error instanceof Nexus3Error ? errorInTools(error, licence) : error;
    }
  };
  return {
    ...one,
    ...(question === undefined ? {} : { question: (input, context) => said(question(input, context)) }),
    run: async (input, context, run) => {
      const result = await said(one.run(input, context, run));
      return resultInTools(result, licence) as typeof result;
    },
  };
}

function errorInTools({ code, message, evidence, hint, cause }: Nexus3Error, licence: Licence): Nexus3Error {
  return new Nexus3Error(code, message, {
    evidence: evidence.map((line) =>
      line.length > EVIDENCE_CHARS_MAX ? `${line.slice(0, EVIDENCE_CHARS_MAX)}…` : line,
    ),
    hint: inTools(hint, licence),
    cause,
  });
}

/** What an agent should know before it calls anything. */
export function controlInstructions({ allowChanges }: Licence): string {
  const changes = allowChanges
    ? 'Tools that change something (apply_fix, recover, backup_create, rotate) ask the person first, where the host can ask. When a person declines, do not try another way.'
    : 'This server was started without --allow-changes: it looks, and changes nothing. What has to be changed, the person does.';
  return [
    'nexus3 keeps environments: in each, a vault (a Redis server that takes all writes) and an operational (its replica, that answers all reads). Locker, an environment itself, keeps all passwords.',
    'Order: status → check → plan_fix → apply_fix, then check once more. Do not repair by other means while a plan would.',
    changes,
    'No tool shows a password, and none restores a backup or deletes data: those are for the person.',
  ].join('\n');
}
