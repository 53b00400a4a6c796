// Writes .gz and .br beside each built file that shrinks, so that the server never compresses at run time.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSIBLE = /\.(html|m?js|css|svg|json)$/;
/** Of all levels this one packs the map library tightest with Node's zlib. */
const MEMORY_LEVEL = 7;
const SMALLEST_BYTES = 512;

export function compress(): Plugin {
  return {
    name: "throughline-compress",
    apply: "build",
    writeBundle(options) {
      const folder = options.dir ?? "dist";
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !COMPRESSIBLE.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const plain = readFileSync(path);
        if (plain.length <= SMALLEST_BYTES) continue;
        writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9, memLevel: MEMORY_LEVEL }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
        writeFileSync(`${path}.br`, brotliCompressSync(plain, { params }));
      }
    },
  };
}
