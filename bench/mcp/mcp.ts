/** `nexus3 mcp serve` over stdio against the published server, by one client, at one pair. What is compared: docs/performance.md. */
import type { Comparison, Contestant, Pair, Target } from '../comparison.js';
import { alternate, judge, median } from '../comparison.js';
import { ENV, groundWithData } from '../client/ground.js';
import { GRAPH } from '../client/job.js';
import { ourServer } from './our-server.js';
import { publishedServer } from './rival-server.js';
import type { ServerUnderTest } from './session.js';
import { Session } from './session.js';

const QUERY = 'MATCH (p:Person) WHERE p.id < $rows RETURN p.id AS id, p.name AS name, p.age AS age';
const CALLS: readonly { readonly rows: number; readonly calls: number }[] = [
  { rows: 1, calls: 100 },
  { rows: 100, calls: 50 },
  { rows: 1_000, calls: 10 },
];
const CALL_ROUNDS = { warmUps: 3, pairs: 15 };
const START_ROUNDS = { warmUps: 1, pairs: 10 };
const CALL_TARGET: Target = { kind: 'times-as-long', max: 0.8 };
const START_TARGET: Target = { kind: 'times-as-long', max: 0.5 };
const NONE: Target = { kind: 'none' };

interface Servers {
  readonly nexus3: ServerUnderTest;
  readonly rival: ServerUnderTest;
}

export async function mcp(): Promise<readonly Comparison[]> {
  await using ground = await groundWithData();
  const { estate, doors } = ground;
  const servers = { nexus3: ourServer(estate, ENV), rival: await publishedServer(doors.operationalPort) };
  return [...(await starts(servers)), ...(await calls(servers))];
}

async function starts(servers: Servers): Promise<readonly Comparison[]> {
  const listed = {
    name: 'mcp-start',
    until: 'spawned, until its tools are listed',
    target: START_TARGET,
    first: false,
  };
  // Whatever a server puts off until it is asked is paid here.
  const answered = { name: 'mcp-start-answer', until: 'spawned, until its first answer', target: NONE, first: true };
  const comparisons: Comparison[] = [];
  for (const { name, until, target, first } of [listed, answered]) {
    const contest = {
      name,
      nexus3: `${servers.nexus3.title}, ${until}`,
      rival: `${servers.rival.title}, the same`,
      target,
    };
    const pairs = await alternate(start(servers.nexus3, first), start(servers.rival, first), START_ROUNDS);
    comparisons.push(judge(contest, pairs));
  }
  return comparisons;
}

function start(server: ServerUnderTest, untilAnswered: boolean): Contestant {
  return async () => {
    const began = performance.now();
    await using session = await Session.open(server);
    if (untilAnswered) await session.query(GRAPH, QUERY, { rows: 1 }, 1);
    return performance.now() - began;
  };
}

async function calls(servers: Servers): Promise<readonly Comparison[]> {
  await using nexus3 = await Session.open(servers.nexus3);
  await using rival = await Session.open(servers.rival);
  const comparisons: Comparison[] = [];
  for (const { rows, calls: count } of CALLS) {
    const contest = {
      name: `mcp-query-${String(rows)}`,
      nexus3: `${servers.nexus3.title}: \`graph_query\` of ${String(rows)} rows, p50 of ${String(count)} calls`,
      rival: `${servers.rival.title}: \`query_graph_readonly\`, the same`,
      target: CALL_TARGET,
    };
    const pairs = await alternate(p50(nexus3, rows, count), p50(rival, rows, count), CALL_ROUNDS);
    comparisons.push(judge(contest, pairs), await cpu(contest.name, [nexus3, rival], rows, count));
  }
  return comparisons;
}

function p50(session: Session, rows: number, count: number): Contestant {
  return async () => {
    const times: number[] = [];
    for (let call = 0; call < count; call += 1) times.push(await session.query(GRAPH, QUERY, { rows }, rows));
    return median(times);
  };
}

/** The kernel counts it in hundredths of a second, so all rounds are counted together. */
async function cpu(
  name: string,
  sessions: readonly [Session, Session],
  rows: number,
  count: number,
): Promise<Comparison> {
  const spent = async (session: Session): Promise<number> => {
    const before = session.cpuMs();
    for (let round = 0; round < CALL_ROUNDS.pairs; round += 1) await p50(session, rows, count)();
    return (session.cpuMs() - before) / (count * CALL_ROUNDS.pairs);
  };
  const pair: Pair = { nexus3Ms: await spent(sessions[0]), rivalMs: await spent(sessions[1]) };
  const nexus3 = 'CPU time of the server, a call';
  return judge({ name: `${name}-cpu`, nexus3, rival: 'the same', target: NONE }, [pair]);
}
