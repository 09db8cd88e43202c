// CPU time, memory and load: what the rows are made of.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const TICK_US = 10000; // USER_HZ is 100 everywhere that matters

// Of a process and its descendants (nginx's workers), or of itself alone.
function family(pid) {
    const children = {};
    for (const entry of fs.readdirSync('/proc')) {
        if (!/^\d+$/.test(entry)) continue;
        try {
            const parent = fs.readFileSync(`/proc/${entry}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')[1];
            (children[parent] ??= []).push(Number(entry));
        } catch {
            continue; // it has ended meanwhile
        }
    }
    const all = [pid];
    for (let i = 0; i < all.length; i++) all.push(...(children[all[i]] ?? []));
    return all;
}

export function cpuUs(pid, { alone = false } = {}) {
    let ticks = 0;
    for (const one of alone ? [pid] : family(pid)) {
        const fields = fs.readFileSync(`/proc/${one}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
        ticks += Number(fields[11]) + Number(fields[12]); // utime, stime
    }
    return ticks * TICK_US;
}

export function residentKiB(pid) {
    return family(pid).reduce((sum, one) => sum + Number(fs.readFileSync(`/proc/${one}/status`, 'latin1').match(/VmRSS:\s+(\d+)/)?.[1] ?? 0), 0) /* one that is ending has none */;
}

// → { perSecond, cpuUsPerRequest }; a row whose answers are not 2xx measures nothing and throws.
export async function load(url, pid, { seconds, connections = 32, script, alone }) {
    const before = cpuUs(pid, { alone });
    const { stdout } = await exec('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, ...(script ? ['-s', script] : []), url]);
    const used = cpuUs(pid, { alone }) - before;
    const [, requests] = stdout.match(/(\d+) requests in/);
    const refused = stdout.match(/Non-2xx or 3xx responses: (\d+)/) ?? stdout.match(/Socket errors: .*/);
    if (refused || Number(requests) === 0) throw new Error(`${url}: ${refused?.[0] ?? 'no answers'}\n${stdout}`);
    return { perSecond: Number(stdout.match(/Requests\/sec:\s+([\d.]+)/)[1]), cpuUsPerRequest: used / Number(requests) };
}

// One request after the other: → { p99Us }.
export async function latency(url, { seconds }) {
    const { stdout } = await exec('wrk', ['-t1', '-c1', `-d${seconds}s`, '--latency', url]);
    const [, number, unit] = stdout.match(/99%\s+([\d.]+)(us|ms|s)/);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}:\n${stdout}`);
    return { p99Us: Number(number) * { us: 1, ms: 1e3, s: 1e6 }[unit] };
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// Several contenders over one row, alternating, so that a noisy minute hurts all of them alike.
export async function compare(contenders, { rounds, seconds }) {
    const seen = contenders.map(() => []);
    for (let round = 0; round < rounds; round++) {
        for (const [i, { url, pid, script, alone }] of contenders.entries()) seen[i].push(await load(url, pid, { seconds, script, alone }));
    }
    return seen.map((runs) => ({
        perSecond: median(runs.map((run) => run.perSecond)),
        cpuUsPerRequest: median(runs.map((run) => run.cpuUsPerRequest)),
    }));
}
