/** What becomes of a response that is streamed: taken to its last byte, or left by a client that went away. */

export interface Follow {
  /** Of the request: aborted when its connection is gone. */
  readonly signal: AbortSignal;
  /** Called once, when its last byte was taken, or nobody wants it any more. */
  readonly done: () => void;
  /** Called once after `done`, where it was not taken to its end. */
  readonly gone: () => void;
}

/** The same response. It ends at once when its connection is gone: whoever writes it out may wait for its next byte only. */
export function followed(response: Response, { signal, done, gone }: Follow): Response {
  if (response.body === null) {
    done();
    return response;
  }
  const taken: ReadableStream<Uint8Array> = response.body;
  const reader = taken.getReader();
  let over = false;
  const end = (left: boolean): void => {
    if (over) return;
    over = true;
    signal.removeEventListener('abort', onGone);
    done();
    if (left) gone();
  };
  const onGone = (): void => {
    end(true);
    // A read that waits ends with this. It fails where the stream has failed, which is told to whoever reads.
    reader.cancel().catch(() => undefined);
  };
  if (signal.aborted) onGone();
  else signal.addEventListener('abort', onGone);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: last, value } = await reader.read();
        if (last) {
          end(false);
          controller.close();
        } else controller.enqueue(value);
      } catch (error) {
        end(true);
        controller.error(error);
      }
    },
    async cancel(reason) {
      end(true);
      await reader.cancel(reason);
    },
  });
  const { status, headers } = response;
  return new Response(body, { status, headers });
}
