/** What the holder of a token opens in its environment's hash, with nothing but the token. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import { ValueKey } from '../envelope.js';
import { ENVIRONMENTS_LOCKER } from '../keys.js';
import { FIELD, type Fields, tampered } from '../sealed-hash.js';
import type { Token } from './token.js';

/** @throws Nexus3Error TOKEN_NOT_FOR, LOCKER_CREDENTIAL_MISSING, LOCKER_VALUE_TAMPERED */
export function openWithToken(token: Token, name: string, fields: Fields): Secret {
  const place = { lockerId: ENVIRONMENTS_LOCKER.id, env: token.env, name };
  const wrapped = fields.get(FIELD.tokenKey(token.id, name));
  if (wrapped === undefined) throw notFor(token, fields, name);
  const text = fields.get(FIELD.in('value', name));
  if (text === undefined) {
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${token.env}.`, {
      evidence: [`${token.env}: ${name}`],
      hint: `On the host of Locker, \`nexus3 up ${token.env}\` makes the credentials that ${token.env} needs.`,
    });
  }
  const valueKey = ValueKey.unwrapFor(token.keyEncryptionKey, token.id, place, wrapped);
  const value = valueKey?.open({ ...place, slot: 'value' }, text);
  if (value === undefined) throw tampered(token.env, name);
  return value;
}

function notFor(token: Token, fields: Fields, name: string): Nexus3Error {
  const prefix = FIELD.tokenKey(token.id, '');
  const granted = [...fields.keys()]
    .filter((field) => field.startsWith(prefix))
    .map((field) => field.slice(prefix.length));
  return new Nexus3Error('TOKEN_NOT_FOR', `The token ${token.id} does not open ${name} of ${token.env}.`, {
    evidence: [`it is for ${granted.length === 0 ? 'none of its credentials any more' : granted.join(', ')}`],
    hint: `Have one made that does, on the host of Locker: nexus3 locker grant ${token.env} --user ${name}`,
  });
}
