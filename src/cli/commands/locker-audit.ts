import { EXIT, Nexus3Error } from '../../errors.js';
import type { Audit, AuditFolded } from '../../locker/audit/audit.js';
import { AUDIT_ACTIONS, type AuditAction } from '../../locker/locker.js';
import type { Arguments, CommandSpec } from '../command.js';
import { wholeNumber } from '../command.js';
import type { Context } from '../context.js';
import { renderAudit, renderProof } from '../render/audit.js';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1_000_000;
/** `90m`, `36h`, `7d` */
const AGE = /^([1-9]\d{0,5})([smhd])$/;
const AGE_UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SCHEMA = 'nexus3.audit/1';

export const lockerAudit: CommandSpec = {
  name: 'locker audit',
  summary: 'show who asked Locker for what, and prove that nothing is missing',
  description:
    'Shows what was done with what Locker keeps: each password that was handed out, each that was refused, and each change, with who (user, process, the command that started it, token), what and when. Each entry is bound to the one before, and how far they go is kept beside the root key. --verify proves that none was changed, removed or put in.',
  arguments: [],
  options: [
    { flags: '--verify', description: 'prove the whole audit instead of showing it' },
    { flags: '--since TIME', description: 'not before: 2026-01-08, 2026-01-08T12:00Z, or an age such as 90m, 36h, 7d' },
    {
      flags: '--limit N',
      description: 'the newest so many entries',
      default: LIMIT_DEFAULT,
      parse: wholeNumber(1, LIMIT_MAX, 'a number of entries'),
    },
    { flags: '--action A', description: `only: ${AUDIT_ACTIONS.join(', ')}`, parse: parseAction },
    { flags: '--what TEXT', description: 'only what was done to something with this in its name' },
    { flags: '--begin-anew', description: 'set a damaged audit aside, and begin a new one' },
    { flags: '--yes', description: 'with --begin-anew: do not ask' },
  ],
  examples: [
    { command: 'nexus3 locker audit', does: 'the newest entries' },
    { command: 'nexus3 locker audit --what track --since 7d', does: 'who had track’s passwords this week' },
    { command: 'nexus3 locker audit --verify', does: 'prove that nobody has changed it' },
  ],
  exitCodes: {
    [EXIT.problem]: 'the audit was changed; the message says where and how',
    [EXIT.unreachable]: 'Locker cannot be reached',
  },
  schema: SCHEMA,
  async run(args, context) {
    const since = parseSince(args.text('since'));
    const audit = await context.operations.audit(await context.world());
    if (args.flag('begin-anew')) return beginAnew(audit, args, context);
    if (args.flag('verify')) return verify(audit, context);
    const folded = await audit.fold();
    const query = {
      ...{ since, limit: args.number('limit') ?? LIMIT_DEFAULT },
      action: AUDIT_ACTIONS.find((action) => action === args.text('action')),
      what: args.text('what'),
    };
    const page = await audit.read(query);
    context.output.result(SCHEMA, documentOf({ folded, ...page }), (shown) => renderAudit(page, shown));
    return EXIT.good;
  },
};

/** First the proof, then what is new: nothing is put behind damage unseen. */
async function verify(audit: Audit, { output }: Context): Promise<typeof EXIT.good> {
  const proof = await audit.verify();
  const folded = await audit.fold();
  output.result(SCHEMA, documentOf({ folded, proof }), (page) => renderProof(proof, folded, page));
  return EXIT.good;
}

async function beginAnew(audit: Audit, args: Arguments, { output, prompts }: Context): Promise<typeof EXIT.good> {
  await refuseWhole(audit);
  const question = {
    about: [
      'The audit as it is now is set aside in Locker (nexus3:locker:audit:before), in the place of one set aside earlier.',
      'It can no longer be proven. A new one begins, whose first entry says so.',
    ],
    expect: 'yes',
    unasked: 'nexus3 locker audit --begin-anew --yes',
  };
  await prompts.confirm(question, args.flag('yes'));
  await audit.beginAnew();
  const page = await audit.read({ limit: 1 });
  output.result(SCHEMA, documentOf({ folded: { notes: 0, denied: 0 }, ...page }), () => ['A new audit has begun.']);
  return EXIT.good;
}

/** What is whole is not set aside: it would be the way to make entries go away. */
async function refuseWhole(audit: Audit): Promise<void> {
  try {
    await audit.verify();
  } catch (error) {
    if (error instanceof Nexus3Error && error.code === 'AUDIT_BROKEN') return;
    throw error;
  }
  throw new Nexus3Error('USAGE', 'The audit is whole, so it is not set aside.', {
    hint: 'To bound its size, set `audit: { entriesMax: N }` in nexus3.yaml.',
  });
}

/** Every field is always there. */
function documentOf(parts: { readonly folded: AuditFolded; readonly [field: string]: unknown }): object {
  return { ok: true, proof: null, entries: [], more: false, ...parts };
}

function parseAction(text: string): AuditAction {
  const action = AUDIT_ACTIONS.find((one) => one === text);
  if (action !== undefined) return action;
  throw new Nexus3Error('USAGE', `There is no action ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: `Use one of ${AUDIT_ACTIONS.join(', ')}.`,
  });
}

function parseSince(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = AGE.exec(text) ?? [];
  if (count !== undefined) return new Date(Date.now() - Number(count) * (AGE_UNIT_MS[unit] ?? 0));
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new Nexus3Error('USAGE', `${JSON.stringify(text.slice(0, 40))} is not a time.`, {
    hint: 'Write a day (2026-01-08), a time (2026-01-08T12:00Z), or an age (90m, 36h, 7d).',
  });
}
