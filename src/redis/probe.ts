/** One look at one server, on one connection in two pipelined round trips: as a stranger, then as its administrator. */
import type { Endpoint } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import { Connection, UnreachableError } from './connection.js';
import type { AnonymousView, InstanceView, ServerView } from './observation.js';
import { INFO_SECTIONS, readInfo } from './parse-info.js';
import type { Reply } from './replies.js';
import { isErrorOf, isList, ReplyError, textOf } from './replies.js';
import type { Command } from './resp.js';

export interface ProbeRequest {
  readonly address: Endpoint;
  /** Undefined: only what an anonymous client sees. */
  readonly adminPassword: Secret | undefined;
  /** Names for CONFIG GET. */
  readonly directives: readonly string[];
  /** What masterauth should be, of an operational. */
  readonly masterauth: Secret | undefined;
  /** While it is rotated: what it may be besides. */
  readonly alsoMasterauth?: Secret | undefined;
}

/** As FalkorDB calls itself. */
const GRAPH_MODULE = 'graph';
/** The user that nexus3 looks as. */
const ADMIN_USER = 'admin';

/**
 * So many names in one CONFIG GET: from a client that is not logged in, Redis takes a command of more than 10 words for
 * a protocol error and closes (networking.c, "unauthenticated multibulk length"), and a refused AUTH would look like that.
 */
const CONFIG_NAMES_MAX = 8;

/** What a stranger is told. */
interface AnonymousAnswers {
  readonly ping: Reply;
  readonly masterauth: Reply;
}

/** What the administrator is told, or again a stranger where there was no password to try. */
interface Answers {
  /** Undefined: there was no password to try. */
  readonly auth: Reply | undefined;
  readonly info: Reply;
  readonly config: readonly Reply[];
  readonly acl: Reply;
  readonly modules: Reply;
}

/** Never throws for what a server does or does not do: that is what it reports. */
export async function probeInstance(request: ProbeRequest): Promise<InstanceView> {
  try {
    using connection = await Connection.open(request.address);
    const [ping = null, masterauth = null] = await connection.pipeline([['PING'], ['CONFIG', 'GET', 'masterauth']]);
    if (ping !== 'PONG' && !(ping instanceof ReplyError)) {
      return { state: 'unreachable', cause: 'not-redis', detail: 'it answers PING with something else than PONG' };
    }
    return judge(request, { ping, masterauth }, await ask(connection, request));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return { state: 'unreachable', cause: error.reason, detail: error.detail };
  }
}

/**
 * AUTH comes first of its own round trip: Redis (7.2 to 8.2 at least, `addAuthErrReply`) leaves the reply to a failed AUTH
 * out altogether when an earlier reply of the same pipeline has not been sent yet.
 */
async function ask(connection: Connection, request: ProbeRequest): Promise<Answers> {
  const auth: Command[] = request.adminPassword === undefined ? [] : [['AUTH', ADMIN_USER, request.adminPassword]];
  const names = [...new Set([...request.directives, 'masterauth', 'masteruser'])];
  const replies = await connection.pipeline([
    ...auth,
    ['INFO', ...INFO_SECTIONS],
    ...inChunks(names, CONFIG_NAMES_MAX).map((some) => ['CONFIG', 'GET', ...some]),
    ['ACL', 'LIST'],
    ['MODULE', 'LIST'],
  ]);
  const [info = null, ...rest] = replies.slice(auth.length);
  const [config, acl = null, modules = null] = [rest.slice(0, -2), rest.at(-2), rest.at(-1)];
  const whole = isOldInfo(info) ? await connection.send(['INFO', 'everything']) : info;
  return { auth: auth.length === 0 ? undefined : replies[0], info: whole, config, acl, modules };
}

function inChunks(names: readonly string[], sizeMax: number): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / sizeMax);
  return Array.from({ length: count }, (_, index) => names.slice(index * sizeMax, (index + 1) * sizeMax));
}

/** Several sections in one INFO are new in Redis 7.0; before that it is a syntax error. */
function isOldInfo(info: Reply): boolean {
  return info instanceof ReplyError && info.text.includes('syntax error');
}

function judge(request: ProbeRequest, stranger: AnonymousAnswers, answers: Answers): InstanceView {
  const { auth, info } = answers;
  const anonymous = readAnonymous(stranger);
  const infoText = textOf(info);
  const fromInfo = infoText === undefined ? undefined : readInfo(infoText);
  if (fromInfo?.loading === true || [stranger.ping, auth, info].some((reply) => isErrorOf(reply, 'LOADING'))) {
    return { state: 'loading', anonymous };
  }
  const server = fromInfo === undefined ? undefined : readServer(request, fromInfo, answers);
  if (server !== undefined && isList(answers.acl) && (auth === undefined || auth === 'OK')) {
    return { state: 'open', anonymous, server };
  }
  if (auth === 'OK' && infoText !== undefined && fromInfo === undefined) {
    return { state: 'unreachable', cause: 'not-redis', detail: 'its INFO names no version, run id and role' };
  }
  if (isErrorOf(info, 'BUSY', 'OOM')) return { state: 'unreachable', cause: 'other', detail: errorText(info) };
  return { state: 'locked', anonymous, detail: lockedBecause(answers), ...(server === undefined ? {} : { server }) };
}

function lockedBecause({ auth, info, acl }: Answers): string {
  if (auth === undefined) return 'there was no admin password to try';
  const refusal = [auth, info, acl].find((reply) => reply instanceof ReplyError);
  return refusal === undefined ? 'the admin’s password was not accepted' : errorText(refusal);
}

function errorText(reply: Reply): string {
  return reply instanceof ReplyError ? reply.text : '';
}

/**
 * A server that answers an anonymous PING with LOADING, MISCONF or MASTERDOWN has let its client in all the same.
 * DENIED is protected mode: it keeps strangers out.
 */
function readAnonymous({ ping, masterauth }: AnonymousAnswers): AnonymousView {
  const shown = pairsOf(masterauth).get('masterauth') ?? '';
  return {
    pingAnswered: !isErrorOf(ping, 'NOAUTH', 'NOPERM', 'WRONGPASS', 'DENIED'),
    masterauthShown: shown !== '',
  };
}

function readServer(
  request: ProbeRequest,
  info: NonNullable<ReturnType<typeof readInfo>>,
  answers: Answers,
): ServerView {
  const pairs = new Map(answers.config.flatMap((reply) => [...pairsOf(reply)]));
  const masterauth = pairs.get('masterauth');
  const masteruser = pairs.get('masteruser');
  return {
    ...info,
    config: new Map([...pairs].filter(([name]) => request.directives.includes(name) && name !== 'masterauth')),
    users: isList(answers.acl) ? answers.acl.map(textOf).filter((line) => line !== undefined) : [],
    masterauthMatches:
      request.masterauth === undefined || masterauth === undefined
        ? undefined
        : [request.masterauth, request.alsoMasterauth].some((known) => known?.reveal() === masterauth),
    masteruser: masteruser === '' ? undefined : masteruser,
    moduleArguments: readModuleArguments(answers.modules),
  };
}

/** `MODULE LIST` answers a list of fields and values for each; `args` is new in Redis 7.0. */
function readModuleArguments(reply: Reply): readonly string[] | undefined {
  if (!isList(reply)) return undefined;
  for (const fields of reply) {
    if (!isList(fields) || pairsOf(fields).get('name') !== GRAPH_MODULE) continue;
    const args = fields[fields.findIndex((field) => textOf(field) === 'args') + 1];
    return isList(args) ? args.map((arg) => textOf(arg) ?? '') : undefined;
  }
  return undefined;
}

/** `CONFIG GET` answers a flat list of names and values; anything else reads as empty. */
function pairsOf(reply: Reply): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (!isList(reply)) return pairs;
  for (let index = 0; index + 1 < reply.length; index += 2) {
    const name = textOf(reply[index]);
    const value = textOf(reply[index + 1]);
    if (name !== undefined && value !== undefined) pairs.set(name, value);
  }
  return pairs;
}
