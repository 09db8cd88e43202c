// Plays whole files, several tests at a time, each in its own account of one server.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { files, play, testsOf } from './player.mjs';

export const listFile = path.join(path.dirname(fileURLToPath(import.meta.url)), 'passing.txt');

// "file test": the tests that must pass.
export function passing() {
    const text = fs.existsSync(listFile) ? fs.readFileSync(listFile, 'utf8') : '';
    return new Set(text.split('\n').filter((line) => line && !line.startsWith('#')));
}

export function writePassing(names) {
    fs.writeFileSync(listFile, `# Recorded tests that pass: \`./dev replay --update\` writes this list; a line that no longer passes fails the suite.\n${[...names].sort().join('\n')}\n`);
}

// wanted: (name) => boolean. → Map name → { verdict, why }
export async function playAll(url, wanted = () => true, { atOnce = 6, trace } = {}) {
    const results = new Map();
    const work = files().flatMap((file) =>
        Object.entries(testsOf(file))
            .map(([name, test]) => [`${file.replace('.json', '')} ${name}`, test])
            .filter(([name]) => wanted(name)),
    );
    const next = work[Symbol.iterator]();
    const lane = async () => {
        for (const [name, test] of next) results.set(name, await play(url, test, { trace: trace && ((...line) => trace(name, ...line)) }));
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return results;
}
