// Rows about signing in: what it costs beside the primitives it cannot do without, and what it does to everybody else.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuUs, latency, median } from './measure.mjs';
import { password } from './setting.mjs';
import { call, signIn } from './srp.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const SIGNING_IN = 16; // at once; more than the job pool has threads

export const signInRows = (row, { server, scene, quick, pace, folder }) => {
    const us = (n) => `${n.toFixed(1)} µs`;
    const who = () => ({ ClientId: scene.pool.ClientId, poolId: scene.pool.id, username: 'ada', password });
    const byPassword = () => call(server().url, 'InitiateAuth', { ClientId: scene.pool.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: password } });

    // A primitive's program and the sign-in by turns: their CPU, one beside the other.
    async function beside(what, source, libraries, one, { count, goal, alongside }) {
        const program = path.join(folder, path.basename(source, '.c'));
        execFileSync('cc', ['-O2', '-o', program, path.join(here, source), ...libraries]);
        const ours = [], alone = [], perSecond = [];
        await one();
        for (let round = 0; round < pace.rounds; round++) {
            alone.push(Number(execFileSync(program)));
            const before = cpuUs(server().pid, { alone: true }), begun = Date.now();
            let left = count;
            await Promise.all(Array.from({ length: 4 }, async () => { while (left-- > 0) await one(); }));
            perSecond.push((count * 1000) / (Date.now() - begun));
            ours.push((cpuUs(server().pid, { alone: true }) - before) / count);
        }
        const ratio = median(ours) / median(alone);
        row(`${what} (beside: ${alongside})`, `${Math.round(median(perSecond))}/s with one client, ${us(median(ours))}`, us(median(alone)), `${ratio.toFixed(2)}×`, `≤ ${goal}×`, ratio <= goal);
    }

    return {
        srp: () => beside('SRP sign-in', 'srp_primitives.c', ['-lcrypto'], () => signIn(server().url, who()),
            { count: quick ? 20 : 100, goal: 1.4, alongside: 'three 3072-bit exponentiations, two RSA-2048 signatures' }),
        password: () => beside('password sign-in', 'argon2_primitive.c', ['-largon2'], byPassword,
            { count: quick ? 8 : 40, goal: 1.15, alongside: 'its argon2id' }),
        // An open proxied request, one after the other, while nobody signs in and while the job pool has more than it can do.
        async crowd() {
            const url = scene.url('open', 'proxy'), seconds = quick ? 2 : 8;
            const idle = await latency(url, { seconds });
            let over = false, signedIn = 0;
            const crowd = Promise.all(Array.from({ length: SIGNING_IN }, async () => { while (!over) { await byPassword(); signedIn++; } }));
            const busy = await latency(url, { seconds });
            over = true;
            await crowd;
            const ratio = busy.p99Us / idle.p99Us;
            row(`p99 of an open proxied request while ${SIGNING_IN} sign in by password all the time (${Math.round(signedIn / seconds)}/s); beside: idle`, us(busy.p99Us), us(idle.p99Us), `${ratio.toFixed(2)}×`, '≤ 2×', ratio <= 2);
        },
    };
};
