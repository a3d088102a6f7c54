/** Downloads an image that is not on this host, once for all containers that wait for it. */
import type Docker from 'dockerode';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import type { Engine } from './engine.js';
import { refusalOf } from './engine.js';

const MEGABYTE = 1_000_000;
/** A person wants to see that it goes on, not every chunk. */
const NOTE_INTERVAL_MS = 2_000;

/** One event of `docker pull` (Engine API, "Create an image"). */
interface PullEvent {
  readonly id?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export class ImagePuller {
  readonly #running = new Map<string, Promise<void>>();

  constructor(
    private readonly engine: Engine,
    private readonly progress: Progress,
  ) {}

  /** @throws Nexus3Error IMAGE_MISSING */
  async pull(image: string): Promise<void> {
    let running = this.#running.get(image);
    if (running === undefined) {
      running = this.#download(image).finally(() => this.#running.delete(image));
      this.#running.set(image, running);
    }
    await running;
  }

  async #download(image: string): Promise<void> {
    this.progress.step(`downloading the image ${image}`);
    try {
      await this.engine.ask(`download ${image}`, this.engine.limits.pullMs, (docker, abortSignal) =>
        this.#follow(docker, image, abortSignal),
      );
    } catch (error) {
      throw imageMissing(image, error);
    }
    this.progress.done(`downloaded the image ${image}`);
  }

  async #follow(docker: Docker, image: string, abortSignal: AbortSignal): Promise<void> {
    const stalled = new AbortController();
    const stream = await docker.pull(image, { abortSignal: AbortSignal.any([abortSignal, stalled.signal]) });
    await new Promise<void>((resolve, reject) => {
      const stallMs = this.engine.limits.pullStallMs;
      const onStall = (): void => {
        reject(new Error(`nothing came for ${String(stallMs / 1000)} s`));
        stalled.abort();
      };
      let timer = setTimeout(onStall, stallMs);
      const tell = this.#teller(image);
      let refused: string | undefined;
      docker.modem.followProgress(
        stream,
        (error) => {
          clearTimeout(timer);
          if (error !== null) reject(error);
          else if (refused !== undefined) reject(new Error(refused));
          else resolve();
        },
        (event: PullEvent) => {
          clearTimeout(timer);
          timer = setTimeout(onStall, stallMs);
          refused ??= event.error;
          tell(event);
        },
      );
    });
  }

  /** Sums up the layers now and then. */
  #teller(image: string): (event: PullEvent) => void {
    const layers = new Map<string, { readonly current: number; readonly total: number }>();
    let toldAt = Date.now();
    return ({ id, progressDetail }) => {
      if (id === undefined || progressDetail?.total === undefined) return;
      layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
      if (Date.now() - toldAt < NOTE_INTERVAL_MS) return;
      toldAt = Date.now();
      const sum = (of: 'current' | 'total'): string =>
        String(Math.round([...layers.values()].reduce((bytes, layer) => bytes + layer[of], 0) / MEGABYTE));
      this.progress.note(`${image}: ${sum('current')} of ${sum('total')} MB`);
    };
  }
}

function imageMissing(image: string, cause: unknown): Nexus3Error {
  const why = refusalOf(cause)?.message ?? (cause instanceof Nexus3Error ? cause.evidence.join('; ') : String(cause));
  return new Nexus3Error('IMAGE_MISSING', `The image ${image} is not on this host and could not be downloaded.`, {
    evidence: [why],
    hint: `Fetch it (docker pull ${image}), or name another one with image: in nexus3.yaml.`,
    cause,
  });
}
