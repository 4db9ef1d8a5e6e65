/**
 * What a device is: registers at offsets, and wires to the rest of the machine. It knows no bus, no
 * KVM and no thread.
 *
 * @module
 */

/**
 * A device's registers, as a bus sees them. A machine's bus asks for what lies within the device's
 * range, and splits what does not.
 */
export interface Device {
  /**
   * The guest reads.
   *
   * @param offset From the beginning of the device's range.
   * @param size Bytes: 1, 2 or 4.
   * @returns The value, unsigned; a bus takes its low `size` bytes.
   */
  read(offset: number, size: number): number;

  /**
   * The guest writes.
   *
   * @param offset From the beginning of the device's range.
   * @param size Bytes: 1, 2 or 4.
   * @param value Unsigned, of `size` bytes.
   */
  write(offset: number, size: number, value: number): void;

  /** Back to the state after power-on; what is connected outside stays connected. */
  reset?(): void;

  /**
   * All that the device remembers, as a view of a struct: whoever copies its bytes has a snapshot,
   * and whoever shares its buffer shares the device.
   */
  readonly state?: object;
}

/** A device that does something at a time of its own. */
export interface TimedDevice extends Device {
  /** When {@linkcode elapse} is due, in milliseconds as `Date.now()` counts; Infinity for never. */
  readonly deadline: number;
  /** Does what is due by now, if anything: the host's clock may go back. */
  elapse(): void;
}

/** An interrupt request line. */
export interface InterruptLine {
  /** Raises or lowers the line; to set it to what it is already does nothing. */
  set(level: boolean): void;
}

/** A line that leads nowhere. */
export const unconnected: InterruptLine = { set() {} };

/** Where a device's bytes come from. */
export interface ByteSource {
  /** The next byte, or -1 while there is none. */
  take(): number;
}

/** Where a device's bytes go. */
export interface ByteSink {
  /** Takes a byte. */
  put(byte: number): void;
}
