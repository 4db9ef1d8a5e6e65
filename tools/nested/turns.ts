/**
 * One output for several that write at the same time.
 *
 * @module
 */

/** One writer's access to the output. */
export interface Turn {
  /** Writes, or keeps the bytes until those before have ended. */
  write(bytes: Uint8Array): void;
  /** The last of it. */
  end(): void;
}

/** The first writer's output passes at once; each other's when all before it have ended. */
export function inTurns(count: number, output: (bytes: Uint8Array) => void): Turn[] {
  const writers = Array.from({ length: count }, () => ({ kept: [] as Uint8Array[], ended: false }));
  let current = 0;
  const pass = () => {
    for (;;) {
      const writer = writers[current];
      for (const bytes of writer?.kept.splice(0) ?? []) output(bytes);
      if (!writer?.ended) return;
      current++;
    }
  };
  return writers.map((writer) => ({
    write(bytes) {
      writer.kept.push(bytes);
      pass();
    },
    end() {
      writer.ended = true;
      pass();
    },
  }));
}
