// node play.mjs [--update] [--trace] [--all] [TEXT…]: plays the recorded tests whose name has TEXT in it
// and prints what differs from AWS. `./dev replay` calls it.
import { start } from '../support/harness.mjs';
import { closeConnections } from './client.mjs';
import { passing, playAll, writePassing } from './run.mjs';

const args = process.argv.slice(2);
const [update, tracing, all] = ['--update', '--trace', '--all'].map((flag) => args.includes(flag));
const texts = args.filter((arg) => !arg.startsWith('--'));
const trace = !tracing ? undefined : ((name, where, params, result) => {
    console.log(`\n${where}\n  sent ${JSON.stringify(params)?.slice(0, 2000)}\n  came ${JSON.stringify(result.answer ?? result.error ?? result.broken)?.slice(0, 2000)}`);
});

const cleanup = [];
const server = await start({ after: (fn) => cleanup.unshift(fn) }, { args: ['--limits', 'aws'] });
const begun = Date.now();
const results = await playAll(server.url, (name) => texts.length === 0 || texts.some((text) => name.includes(text)), { atOnce: tracing ? 1 : 6, trace });
closeConnections();

const listed = passing();
const count = {};
for (const [name, { verdict, why }] of [...results].sort()) {
    const file = name.split(' ')[0];
    count[file] ??= { pass: 0, fail: 0, cannot: 0 };
    count[file][verdict]++;
    const lost = verdict !== 'pass' && listed.has(name);
    if ((texts.length || all || lost) && verdict !== 'pass') {
        console.log(`${lost ? 'LOST' : verdict} ${name}`);
        for (const line of why.slice(0, texts.length ? 40 : 3)) console.log(`    ${line}`);
    } else if (texts.length && results.size < 60) console.log(`pass ${name}`);
}
console.table(count);
console.log(`${[...results.values()].filter((r) => r.verdict === 'pass').length} of ${results.size} pass, in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
if (update) {
    // Only what was played is written anew.
    const kept = [...listed].filter((name) => !results.has(name));
    const now = [...results].filter(([, result]) => result.verdict === 'pass').map(([name]) => name);
    writePassing([...kept, ...now]);
}
for (const end of cleanup) await end();
