/** Addresses to listen on, and how this host reaches what listens there. Pure. */

/** A wildcard is reached over loopback. */
export function reachableHost(bind: string): string {
  if (bind === '0.0.0.0' || bind === '*') return '127.0.0.1';
  return bind === '::' ? '::1' : bind;
}

export function isLoopback(bind: string): boolean {
  return bind === 'localhost' || bind === '::1' || /^127\./.test(bind);
}
