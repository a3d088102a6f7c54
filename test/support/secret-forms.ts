/** How a secret may lie somewhere without standing there as it is: each way in which programs write text down. */

export interface Form {
  /** Empty for the text as it is. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Without those that are the same bytes as one before. */
export function formsOf(secret: string): readonly Form[] {
  const bytes = Buffer.from(secret, 'utf8');
  const json = JSON.stringify(secret).slice(1, -1);
  const forms: readonly (readonly [name: string, text: string])[] = [
    ['', secret],
    ['JSON', json],
    ['JSON', json.replaceAll('/', '\\/')],
    // Within text that is JSON itself.
    ['JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON', json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)],
    ['URL encoding', encodeURIComponent(secret)],
    ['URL encoding', percent(bytes, /[A-Za-z0-9._~-]/)],
    ['URL encoding', percent(bytes, /[A-Za-z0-9._~-]/).replace(/%../g, (escape) => escape.toLowerCase())],
    ['URL encoding', percent(bytes, /[A-Za-z0-9._*-]/).replaceAll('%20', '+')],
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    ['hex', [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')],
    ...base64Of(bytes),
  ];
  const found = new Map<string, Form>();
  for (const [name, text] of forms) {
    if (text !== '' && !found.has(text)) found.set(text, { name, bytes: Buffer.from(text, 'utf8') });
  }
  return [...found.values()];
}

function percent(bytes: Buffer, plain: RegExp): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** Within a longer text, e.g. `user:password`, it looks different in each of three positions; only whole letters of it. */
function base64Of(bytes: Buffer): readonly (readonly [string, string])[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6)];
    return (['base64', 'base64url'] as const).map((name) => [name, padded.toString(name).slice(from, to)] as const);
  });
}
