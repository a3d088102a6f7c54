/** Where an environment's servers answer, as URLs say it. Pure. */
import { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Login } from './driver.js';
import type { Place } from './place.js';

/** Where both servers answer, for hosts without nexus3.yaml and without Locker. */
export interface EnvironmentUrls {
  /** `redis://default:PASSWORD@HOST:PORT`, `…/2` for another database; `rediss://` is not spoken. */
  readonly vault: string;
  /** `redis://HOST:PORT`; left out, it is a Secure Environment. */
  readonly operational?: string | undefined;
  /** What it is called in events and errors; `environment` by default. */
  readonly name?: string | undefined;
}

interface Parsed {
  readonly address: Address;
  readonly login: Login;
  readonly database: number | undefined;
}

/** @throws Nexus3Error USAGE, which never shows an URL: it may hold a password */
export function placeAt(
  { vault, operational, name = 'environment' }: EnvironmentUrls,
  database: number | undefined,
): { readonly place: Place; readonly database: number | undefined } {
  const { address, login, database: named } = parseUrl(vault);
  const other = operational === undefined ? undefined : parseUrl(operational);
  // Taken and not used, it would look as if it were needed.
  if (other !== undefined && other.login.password !== '') throw refused('The operational is asked without a password.');
  const databases = new Set([database, named, other?.database].filter((one) => one !== undefined));
  if (databases.size > 1) throw refused('Vault and operational are asked for one and the same database.');
  const place: Place = {
    name,
    kind: other === undefined ? 'secure' : 'standard',
    vault: address,
    operational: other?.address,
    login: () => Promise.resolve(login),
    refused: () => undefined,
    lagBytesMax: undefined,
    close: () => Promise.resolve(),
  };
  return { place, database: [...databases][0] };
}

const REDIS_PORT = 6379;

function parseUrl(text: string): Parsed {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const path = /^(?:\/(?<database>\d{0,9}))?$/.exec(url?.pathname ?? '-');
  const [username, password] = [decoded(url?.username), decoded(url?.password)];
  if (
    url === undefined ||
    path === null ||
    username === undefined ||
    password === undefined ||
    !['redis:', 'falkor:'].includes(url.protocol) ||
    url.hostname === '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw refused('That is no URL of a server.');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? REDIS_PORT : Number(url.port);
  const database = path.groups?.['database'] ?? '';
  return {
    address: { host, port },
    login: { username: username === '' ? 'default' : username, password },
    database: database === '' ? undefined : Number(database),
  };
}

/** Undefined where `%` stands before something else than two hexadecimal digits. */
function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refused(what: string): Nexus3Error {
  return new Nexus3Error('USAGE', what, {
    hint: 'Write redis://default:PASSWORD@HOST:PORT for the vault, redis://HOST:PORT for the operational, and /N behind both for database N.',
  });
}
