// Function packages for tests: {name: text} → the bytes of a zip; names in `executable` get mode 755.
import { strToU8, zipSync } from 'fflate';
import fs from 'node:fs';

export function zip(files, { executable = ['bootstrap'] } = {}) {
    const entries = {};
    for (const [name, content] of Object.entries(files)) {
        const mode = executable.includes(name) ? 0o755 : 0o644;
        const bytes = typeof content === 'string' ? strToU8(content) : content;
        entries[name] = [bytes, { os: 3, attrs: (0o100000 | mode) << 16, mtime: new Date('2020-01-01') }];
    }
    return Buffer.from(zipSync(entries));
}

export const zipOf = (...paths) =>
    zip(Object.fromEntries(paths.map((file) => [file.split('/').at(-1), fs.readFileSync(file)])));
