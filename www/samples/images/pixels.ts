/** Pictures to make thumbnails of, in plain TypeScript: a Julia set is drawn, shrunk by averaging, and written as PNG. */

export interface Picture {
  width: number;
  height: number;
  /** Red, green, blue, row by row. */
  pixels: Uint8Array<ArrayBuffer>;
}

const ITERATIONS = 96;
/** So many bytes a stored block holds at most. */
const BLOCK = 0xffff;

/** Each seed gives another one. Other requests get their turn between rows. */
export async function draw(seed: number, width: number, height: number): Promise<Picture> {
  const pixels = new Uint8Array(width * height * 3);
  const angle = seed * 0.618 * Math.PI;
  const [cx, cy] = [0.7885 * Math.cos(angle), 0.7885 * Math.sin(angle)];
  for (let row = 0; row < height; row += 1) {
    if (row % 24 === 0) await new Promise((next) => setTimeout(next));
    for (let column = 0; column < width; column += 1) {
      let [x, y, count] = [(3 * column) / width - 1.5, (2.25 * row) / height - 1.125, 0];
      while (x * x + y * y < 16 && count < ITERATIONS) {
        [x, y] = [x * x - y * y + cx, 2 * x * y + cy];
        count += 1;
      }
      const shade = Math.sqrt(count / ITERATIONS);
      pixels.set([255 * shade, 200 * shade ** 2, 255 * (1 - shade) * shade + 24], (row * width + column) * 3);
    }
  }
  return { width, height, pixels };
}

/** Every pixel is the average of those that it stands for. */
export function shrink({ width, height, pixels }: Picture, newWidth: number): Picture {
  const newHeight = Math.max(1, Math.round((height * newWidth) / width));
  const smaller = new Uint8Array(newWidth * newHeight * 3);
  for (let row = 0; row < newHeight; row += 1) {
    const [top, bottom] = span(row, newHeight, height);
    for (let column = 0; column < newWidth; column += 1) {
      const [left, right] = span(column, newWidth, width);
      const sums = [0, 0, 0];
      for (let y = top; y < bottom; y += 1)
        for (let x = left; x < right; x += 1)
          for (let channel = 0; channel < 3; channel += 1)
            sums[channel] = (sums[channel] ?? 0) + (pixels[(y * width + x) * 3 + channel] ?? 0);
      const area = (bottom - top) * (right - left);
      smaller.set(
        sums.map((sum) => sum / area),
        (row * newWidth + column) * 3,
      );
    }
  }
  return { width: newWidth, height: newHeight, pixels: smaller };
}

const span = (index: number, of: number, size: number): [from: number, to: number] => {
  const from = Math.floor((index * size) / of);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * size) / of))];
};

/** https://www.w3.org/TR/png-3/: eight bits a channel, no filter. */
export async function encodePng({ width, height, pixels }: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, 2);
  const rows = new Uint8Array(height * (width * 3 + 1));
  for (let row = 0; row < height; row += 1)
    rows.set(pixels.subarray(row * width * 3, (row + 1) * width * 3), row * (width * 3 + 1) + 1);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", await stored(rows)),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** https://www.rfc-editor.org/rfc/rfc1950, without compression: Next.js has no `CompressionStream` on the Edge runtime. */
async function stored(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parts = [Uint8Array.of(0x78, 0x01)];
  let [one, two] = [1, 0];
  for (let at = 0; at < data.length; at += BLOCK) {
    const block = data.subarray(at, at + BLOCK);
    const isLast = at + BLOCK >= data.length;
    const size = block.length;
    parts.push(Uint8Array.of(isLast ? 1 : 0, size & 0xff, size >> 8, ~size & 0xff, (~size >> 8) & 0xff), block);
    for (const byte of block) {
      one = (one + byte) % 65_521;
      two = (two + one) % 65_521;
    }
  }
  parts.push(Uint8Array.of(two >> 8, two & 0xff, one >> 8, one & 0xff));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
