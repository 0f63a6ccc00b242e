/** Protobuf's wire format, as far as ONNX needs it. Independent of Heddle's own writer: a baseline shares no code. */

const varint = 0;
const bytes = 2;
const fixed32 = 5;

export class Message {
  #chunks = [];
  length = 0;

  /** @param {number} field @param {number | bigint} value */
  int(field, value) {
    this.#tag(field, varint);
    this.#varint(value);
    return this;
  }

  float(field, value) {
    this.#tag(field, fixed32);
    return this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  /** @param {string | Uint8Array} value */
  bytes(field, value) {
    const data = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    this.#tag(field, bytes);
    this.#varint(data.length);
    return this.#push(data);
  }

  message(field, inner) {
    this.#tag(field, bytes);
    this.#varint(inner.length);
    for (const chunk of inner.#chunks) this.#push(chunk);
    return this;
  }

  /** One copy at the very end: weights of hundreds of megabytes pass through here. */
  finish() {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  #tag(field, kind) {
    this.#varint((field << 3) | kind);
  }

  #varint(value) {
    const out = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      out.push(rest > 0n ? low | 128 : low);
    } while (rest > 0n);
    this.#push(Uint8Array.from(out));
  }

  #push(chunk) {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    return this;
  }
}
