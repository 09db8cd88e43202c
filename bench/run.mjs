// ./dev bench [row…] [--quick] [--write]: Gatehouse beside nginx over one backend, both in this one
// run and in turns. CPU is user and system time out of /proc, of all processes of a contender.
// --write (or all rows) keeps the table in bench/RESULTS.md.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, root, scratch, start } from '../tests/e2e/support/harness.mjs';
import { signedHeaders } from '../tests/e2e/support/sign.mjs';
import { deployRows } from './deploy.mjs';
import { compare, cpuUs, median, residentKiB } from './measure.mjs';
import { nginx } from './nginx.mjs';
import { setTheScene } from './setting.mjs';
import { payloadRows } from './payload.mjs';
import { policyRows } from './policy.mjs';
import { poolSizeRows } from './pool-size.mjs';
import { auditRows } from './audit.mjs';
import { signInRows } from './sign-in.mjs';
import { tlsRows } from './tls.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const cleanup = [];
const t = { after: (fn) => cleanup.unshift(fn) };
const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const pace = quick ? { rounds: 1, seconds: 1 } : { rounds: 5, seconds: 3 };
const workers = 2;
process.env.GATEHOUSE_BIN ??= path.join(root, 'build/release/gatehouse');

const table = [];
const us = (n) => `${n.toFixed(1)} µs`;
const row = (what, gatehouse, nginxSays, ratio, goal, good) => {
    table.push([what, gatehouse, nginxSays, ratio, goal, good === undefined ? '' : good ? 'yes' : '**no**']);
    console.log(table.at(-1).filter(Boolean).join(' | '));
};

const folder = scratch(t, 'gatehouse-bench');
const backend = await nginx(folder, 'backend', 1);
t.after(() => backend.stop());
const yardstick = await nginx(folder, 'yardstick', workers, backend.url);
t.after(() => yardstick.stop());
let server = await start(t, { args: ['--workers', String(workers)] });
const scene = await setTheScene(server, backend.url, folder);
await rested(server.pid);

// What is left to the background (the pool's second key) belongs to no request.
async function rested(pid) {
    for (let before = -1, now = cpuUs(pid); now !== before; ) {
        before = now;
        await new Promise((go) => setTimeout(go, 400));
        now = cpuUs(pid);
    }
}

function lua(name, headers) {
    const file = path.join(folder, `${name}.lua`);
    fs.writeFileSync(file, Object.entries(headers).filter(([key]) => key !== 'host' /* wrk sends its own */).map(([key, value]) => `wrk.headers[${JSON.stringify(key)}] = ${JSON.stringify(value)}\n`).join(''));
    return file;
}

// One row that stands beside nginx.
async function beside(what, url, script, nginxPath, goal) {
    const [theirs, ours] = await compare([{ url: yardstick.url + nginxPath, pid: yardstick.pid }, { url, pid: server.pid, script }], pace);
    const ratio = ours.cpuUsPerRequest / theirs.cpuUsPerRequest;
    const show = ({ perSecond, cpuUsPerRequest }) => `${Math.round(perSecond)}/s, ${us(cpuUsPerRequest)}`;
    row(what, show(ours), show(theirs), `${ratio.toFixed(2)}×`, goal ? `≤ ${goal}×` : '', goal ? ratio <= goal : undefined);
}

const rows = {
    mock: () => beside('MOCK (nginx: return 200)', scene.url('open', 'mock'), undefined, '/'),
    proxy: () => beside('HTTP_PROXY open', scene.url('open', 'proxy'), undefined, '/proxy', 1.1),
    cognito: () => beside('HTTP_PROXY, Cognito token, throttle, access log (nginx: plain proxy)', scene.url('full', 'cognito'), lua('cognito', { Authorization: scene.pool.token }), '/proxy', 1.3),
    cache: () => beside('cache hit (nginx: proxy_cache)', `${scene.url('cached', 'cached')}?q=1`, undefined, '/cached?q=1', 0.6),
    async authorizer() {
        const script = lua('gated', { token: 'Bearer 0123456789abcdef0123456789abcdef' });
        await fetch(scene.url('open', 'gated'), { headers: { token: 'Bearer 0123456789abcdef0123456789abcdef' } });
        const [open, gated] = await compare([{ url: scene.url('open', 'mock'), pid: server.pid }, { url: scene.url('open', 'gated'), pid: server.pid, script, alone: true }], pace);
        const extra = gated.cpuUsPerRequest - open.cpuUsPerRequest;
        row('cached Lambda-authorizer decision on top of open (MOCK)', us(extra), '', '', '≤ 2 µs', extra <= 2);
    },
    async token() {
        const script = lua('cognito', { Authorization: scene.pool.token });
        const [open, token] = await compare([{ url: scene.url('open', 'mock'), pid: server.pid }, { url: scene.url('open', 'known'), pid: server.pid, script }], pace);
        const extra = token.cpuUsPerRequest - open.cpuUsPerRequest;
        row('Cognito token on top of open (MOCK)', us(extra), '', '', '≤ 1.5 µs for the hit', extra <= 1.5);
    },
    async iam() {
        const url = scene.url('open', 'iam');
        const script = lua('iam', await signedHeaders(url, scene.user));
        const [open, signed] = await compare([{ url: scene.url('open', 'proxy'), pid: server.pid }, { url, pid: server.pid, script }], pace);
        const extra = signed.cpuUsPerRequest - open.cpuUsPerRequest;
        row('AWS_IAM signed, on top of open', `${Math.round(signed.perSecond)}/s, +${us(extra)}`, '', '', '≤ 15 µs', extra <= 15);
    },
    async invoke() {
        const headers = await signedHeaders(scene.functionUrl, scene.user, { service: 'lambda', method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
        const script = lua('invoke', headers);
        fs.appendFileSync(script, 'wrk.method = "POST"\nwrk.body = "{}"\n');
        const [seen] = await compare([{ url: scene.functionUrl, pid: server.pid, script, alone: true }], pace);
        row('function invoke, warm (Gatehouse alone)', `${Math.round(seen.perSecond)}/s, ${us(seen.cpuUsPerRequest)}`, '', '', '≤ 250 µs', seen.cpuUsPerRequest <= 250);
    },
    ...auditRows(row, { quick, folder }),
    ...signInRows(row, { server: () => server, scene, quick, pace, folder }),
    ...payloadRows({ server: () => server, backend: backend.url, folder, pace, row }),
    async start() {
        const runs = quick ? 3 : 15;
        const empty = [], existing = [];
        for (let i = 0; i < runs; i++) {
            const fresh = await start(null, { data: path.join(folder, `empty${i}`) });
            empty.push(fresh.startMs);
            await fresh.stop();
        }
        for (let i = 0; i < runs; i++) {
            await server.restart('SIGTERM');
            existing.push(server.startMs);
        }
        row('start, empty data folder', `${median(empty).toFixed(1)} ms`, '', '', '≤ 50 ms', median(empty) <= 50);
        row('start, existing data folder', `${median(existing).toFixed(1)} ms`, '', '', '≤ 20 ms', median(existing) <= 20);
    },
    async memory() {
        await server.restart('SIGTERM');
        const sizes = async ({ url, pid }, target) => {
            const seen = { idle: residentKiB(pid) };
            const sockets = [];
            for (const count of [1000, 8000]) {
                while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => connection(new URL(url), target)))));
                seen[count] = residentKiB(pid);
            }
            for (const socket of sockets) socket.destroy();
            return seen;
        };
        const target = new URL(scene.url('open', 'mock')).pathname;
        const theirs = await sizes(yardstick, '/');
        const ours = await sizes(server, target);
        const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
        const each = (seen) => (seen[8000] - seen.idle) / 8000;
        row('resident memory, idle', mib(ours.idle), mib(theirs.idle), '', '≤ 20 MiB', ours.idle <= 20 * 1024);
        row('with 1,000 idle keep-alive connections', mib(ours[1000]), mib(theirs[1000]));
        row('with 8,000 idle keep-alive connections', mib(ours[8000]), mib(theirs[8000]));
        row('an idle keep-alive connection', `${each(ours).toFixed(1)} KiB`, `${each(theirs).toFixed(1)} KiB`, '', '≤ 17 KiB', each(ours) <= 17);
    },
    ...deployRows(row, { quick, workers }),
    ...policyRows(row, { quick, folder }),
    ...poolSizeRows(row, { quick, workers }),
    ...tlsRows(row, { quick, workers, pace, folder }),
};

// Opens a connection, asks once, and leaves it open.
function connection(url, target) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(url.port, url.hostname, () => socket.write(`GET ${target} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`));
        socket.once('data', () => resolve(socket));
        socket.once('error', reject);
    });
}

const unknown = wanted.filter((name) => !rows[name]).concat(args.filter((arg) => arg.startsWith('--') && !['--quick', '--write'].includes(arg)));
if (unknown.length) {
    console.error(`./dev bench [row...] [--quick] [--write]; there is no ${unknown.join(', ')}. Rows: ${Object.keys(rows).join(', ')}`);
    process.exitCode = 1;
    for (const end of cleanup) await end();
    process.exit();
}

let failed = 0;
for (const [name, measure] of Object.entries(rows)) {
    if (wanted.length && !wanted.includes(name)) continue;
    try {
        await measure();
    } catch (error) {
        failed++;
        row(name, `did not run: ${error.message.split('\n')[0]}`);
        console.error(error);
    }
}
for (const end of cleanup) await end();

const head = ['what', 'Gatehouse', 'nginx / primitives', 'ratio', 'goal', 'met'];
const lines = [head, head.map(() => '---'), ...table].map((cells) => `| ${cells.map((cell) => cell ?? '').join(' | ')} |`).join('\n');
console.log(`\n${lines}`);
if (args.includes('--write') || (!wanted.length && !quick)) {
    const cpu = os.cpus();
    fs.writeFileSync(path.join(here, 'RESULTS.md'), `# What it costs

\`./dev bench\` on ${new Date().toISOString().slice(0, 10)}, commit ${execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).toString().trim()}. Machine: ${cpu.length} × ${cpu[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}; load
generator, backend and server share its cores, so the CPU column says more than the requests per second.
${spawnSync('nginx', ['-v']).stderr.toString().replace(/.*nginx\//s, 'nginx ').trim()} from Debian with ${workers} workers and Gatehouse (release build) with ${workers}, over one nginx as backend, 32 connections, HTTP/1.1
keep-alive. Both in one run and in turns; medians of ${pace.rounds} rounds of ${pace.seconds} s. CPU is user and system time of all processes.

${lines}
`);
}
process.exit(failed ? 1 : 0);
