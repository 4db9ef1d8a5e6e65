/**
 * How a figure comes about: the contenders take turns, so that the machine's noise hits all of
 * them, and the ratio is the median of the ratios of neighbouring turns.
 *
 * @module
 */

/** Who takes part: the C program, plain JavaScript without this library, this library. */
export type Contender = "c" | "plain" | "kvm";

/** One turn of a contender: how long an operation took, in the benchmark's unit. */
export type Turn = () => number | Promise<number>;

/** What a figure is compared with: the library's own, its ratio or its difference to another. */
export interface Aim {
  /** How to compare. */
  readonly of: "value" | "ratio" | "difference";
  /** To whom; without meaning for a value. */
  readonly to?: Exclude<Contender, "kvm">;
  /** The figure is at most this. */
  readonly atMost: number;
}

/** A figure to produce. */
export interface Benchmark {
  /** What is measured: the first word is its group. */
  readonly name: string;
  /** What the figures count. */
  readonly unit: "ns" | "us" | "ms" | "bytes";
  /** What is good enough; without it the figure is for information. */
  readonly aim?: Aim;
  /** Turns where the usual number of rounds is too many or too few, as a factor. */
  readonly rounds?: number;
  /** Makes what the turns need, which goes with the stack. */
  prepare(stack: DisposableStack): Readonly<Partial<Record<Contender, Turn>>> & { kvm: Turn };
}

/** The quartiles of a series. */
export interface Quartiles {
  /** A quarter is below. */
  readonly low: number;
  /** Half is below. */
  readonly median: number;
  /** A quarter is above. */
  readonly high: number;
}

/** A figure. */
export interface Result {
  /** The benchmark's. */
  readonly name: string;
  /** The benchmark's. */
  readonly unit: Benchmark["unit"];
  /** The turns of each contender. */
  readonly figures: Readonly<Partial<Record<Contender, Quartiles>>> & { readonly kvm: Quartiles };
  /** Of this library's turn to the turn beside it of whom the aim names. */
  readonly ratio: Quartiles | undefined;
  /** Likewise; in the benchmark's unit. */
  readonly difference: Quartiles | undefined;
  /** The benchmark's. */
  readonly aim: Aim | undefined;
  /** Whether the aim is reached. */
  readonly reached: boolean | undefined;
}

/** Compiled code needs about this long to settle, and these many turns of a slow kind. */
const WARM_UP_MS = 400;
const WARM_UP_TURNS = 20;

/** Lets the contenders take turns. */
export async function run(benchmark: Benchmark, rounds: number): Promise<Result> {
  const { name, unit, aim } = benchmark;
  using stack = new DisposableStack();
  const turns = Object.entries(benchmark.prepare(stack)) as [Contender, Turn][];
  for (const [, turn] of turns) {
    const start = performance.now();
    for (let done = 0; done < WARM_UP_TURNS || performance.now() - start < WARM_UP_MS; done++) {
      await turn();
    }
  }
  const series: Record<Contender, number[]> = { c: [], plain: [], kvm: [] };
  const count = Math.max(3, Math.round(rounds * (benchmark.rounds ?? 1)));
  for (let round = 0; round < count; round++) {
    for (const [contender, turn] of turns) series[contender].push(await turn());
    // Whoever comes first does so once with each neighbour.
    turns.reverse();
  }
  const { kvm } = series;
  const other = series[aim?.to ?? (series.c.length > 0 ? "c" : "plain")];
  const compared = other.length > 0;
  const ratio = compared ? quartiles(kvm.map((value, at) => value / other[at]!)) : undefined;
  const difference = compared ? quartiles(kvm.map((value, at) => value - other[at]!)) : undefined;
  const figures = {
    kvm: quartiles(kvm),
    ...(series.c.length > 0 ? { c: quartiles(series.c) } : {}),
    ...(series.plain.length > 0 ? { plain: quartiles(series.plain) } : {}),
  };
  const figure = { value: figures.kvm, ratio, difference }[aim?.of ?? "value"];
  const reached = aim === undefined ? undefined : (figure?.median ?? Infinity) <= aim.atMost;
  return { name, unit, figures, ratio, difference, aim, reached };
}

/** Nanoseconds that an operation takes of a function that does it so many times. */
export function timed(work: (times: number) => number, times: number): () => number {
  return () => {
    const start = performance.now();
    consume(work(times));
    return (performance.now() - start) * 1e6 / times;
  };
}

let consumed = 0;

/** Uses a result, lest the compiler drop the work that made it. */
export function consume(value: number): void {
  consumed = (consumed + value) % 1_000_003;
}

function quartiles(series: readonly number[]): Quartiles {
  const sorted = series.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}
