/** Streams as they look after a life: consumer groups, entries pending, acknowledged, claimed, deleted and trimmed; and functions. */
import type { Words } from './wire.js';

const ENTRIES = 300;
const FIRST_MS = 1_700_000_000_000;

const LIBRARY = `#!lua name=ledger
local function add(keys, args) return redis.call('INCRBY', keys[1], args[1]) end
redis.register_function('ledger_add', add)
redis.register_function{function_name='ledger_sum', callback=function(keys, args)
  local sum = 0
  for _, value in ipairs(args) do sum = sum + tonumber(value) end
  return sum
end, flags={'no-writes'}}`;
const SECOND_LIBRARY = `#!lua name=greeting
redis.register_function{function_name='greet', callback=function() return 'Grüße' end, flags={'no-writes'},
  description='says so'}`;

export function* streamsAndFunctions(): Iterable<Words> {
  yield* plainStreams();
  yield* groups();
  yield ['FUNCTION', 'LOAD', 'REPLACE', LIBRARY];
  yield ['FUNCTION', 'LOAD', 'REPLACE', SECOND_LIBRARY];
  yield ['FCALL', 'ledger_add', 1, 'function:written', 42];
}

function* plainStreams(): Iterable<Words> {
  for (let index = 0; index < ENTRIES; index += 1) {
    const fields = index % 7 === 0 ? ['other', 'x', 'set of', 'fields'] : ['sensor', index % 5, 'value', index * 3];
    yield ['XADD', 'stream:plain', `${String(FIRST_MS + index)}-${String(index % 3)}`, ...fields];
  }
  yield ['XDEL', 'stream:plain', `${String(FIRST_MS)}-0`, `${String(FIRST_MS + 150)}-0`, `${String(FIRST_MS + 299)}-2`];
  yield ['XADD', 'stream:trimmed', '1-1', 'gone', 'yes'];
  yield ['XADD', 'stream:trimmed', '2-1', 'gone', 'no'];
  yield ['XTRIM', 'stream:trimmed', 'MAXLEN', '=', 1];
  yield ['XADD', 'stream:set', '5-0', 'a', 'b'];
  yield ['XSETID', 'stream:set', '900-3', 'ENTRIESADDED', 77, 'MAXDELETEDID', '4-0'];
  yield ['XGROUP', 'CREATE', 'stream:never-written', 'waiting', '$', 'MKSTREAM'];
  yield ['XADD', 'stream:emptied', '1-0', 'a', 'b'];
  yield ['XDEL', 'stream:emptied', '1-0'];
}

function* groups(): Iterable<Words> {
  for (let index = 1; index <= 40; index += 1) yield ['XADD', 'stream:groups', `${String(index)}-0`, 'job', index];
  yield ['XGROUP', 'CREATE', 'stream:groups', 'workers', '0', 'ENTRIESREAD', 0];
  yield ['XGROUP', 'CREATE', 'stream:groups', 'late', '$'];
  yield ['XGROUP', 'CREATECONSUMER', 'stream:groups', 'workers', 'idle'];
  yield ['XREADGROUP', 'GROUP', 'workers', 'anna', 'COUNT', 10, 'STREAMS', 'stream:groups', '>'];
  yield ['XREADGROUP', 'GROUP', 'workers', 'bert', 'COUNT', 10, 'STREAMS', 'stream:groups', '>'];
  yield ['XACK', 'stream:groups', 'workers', '1-0', '2-0', '11-0'];
  yield ['XCLAIM', 'stream:groups', 'workers', 'bert', 0, '3-0', 'TIME', FIRST_MS, 'RETRYCOUNT', 7];
  // Pending still, but no longer there.
  yield ['XDEL', 'stream:groups', '5-0', '25-0'];
}
