/**
 * What every view of a struct is: bytes, and a way to read and write them that can be taken back.
 *
 * @module
 */

const BYTES: unique symbol = Symbol("bytes");

/** The base of every view's class. */
export class Struct {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  readonly #parts: unknown[] = [];

  /**
   * A view of so many bytes.
   *
   * @param own What it has beside its fields.
   */
  constructor(buffer: ArrayBuffer, offset: number, size: number, own?: PropertyDescriptorMap) {
    this.#bytes = new Uint8Array(buffer, offset, size);
    this.#view = new DataView(buffer, offset, size);
    // The one property of its own, so that two views compare equal in an assertion if and only if
    // their bytes do.
    Object.defineProperty(this, BYTES, { value: this.#bytes, enumerable: true });
    if (own !== undefined) Object.defineProperties(this, own);
    // So a name that is no field's is a TypeError, and nobody believes to have set something.
    Object.preventExtensions(this);
  }

  /** Whether a value is one, and no object that looks like it. */
  static isStruct(value: unknown): value is Struct {
    return typeof value === "object" && value !== null && #bytes in value;
  }

  /** Whether it is what `{ ...view }` makes of one: its bytes by name, and none of its fields. */
  static isHusk(value: object): boolean {
    return Object.hasOwn(value, BYTES) && !(#bytes in value);
  }

  /** Its bytes. */
  static bytes(struct: Struct): Uint8Array<ArrayBuffer> {
    return struct.#bytes;
  }

  /** What its accessors read and write through. */
  static view(struct: Struct): DataView<ArrayBuffer> {
    return struct.#view;
  }

  /** A nested view, made on first use and kept. */
  static part<T>(struct: Struct, index: number, make: (view: DataView<ArrayBuffer>) => T): T {
    return (struct.#parts[index] ??= make(struct.#view)) as T;
  }

  /** From now on, reading or writing a field throws, here and in what it is made of. */
  static revoke(struct: Struct, error: () => Error): void {
    const thrower: ProxyHandler<DataView<ArrayBuffer>> = {
      get() {
        throw error();
      },
    };
    struct.#view = new Proxy(struct.#view, thrower);
    for (const part of struct.#parts.splice(0).flat()) {
      if (Struct.isStruct(part)) Struct.revoke(part, error);
    }
  }
}
