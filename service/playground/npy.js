// The npy format, as the service writes it: float32, row by row.
export function parse(buffer) {
  const bytes = new DataView(buffer);
  const start = 10 + bytes.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(buffer, 10, start - 10));
  if (!header.includes("'<f4'") || header.includes("True")) throw new Error("This array is not of float32, row by row.");
  const shape = [...header.match(/\(([^)]*)\)/)[1].matchAll(/\d+/g)].map(Number);
  return new Tensor(new Float32Array(buffer.slice(start)), shape);
}

// Values with a shape, the batch axis first.
export class Tensor {
  constructor(values, shape) {
    this.values = values;
    this.shape = shape;
  }

  get rows() {
    return this.shape[0];
  }

  row(i) {
    const size = this.values.length / this.rows;
    return this.values.subarray(i * size, (i + 1) * size);
  }
}

// Single-precision values in the fewest digits that name them.
export function shortest(values) {
  return Array.from(values, (value) => Number(value.toPrecision(9)));
}
