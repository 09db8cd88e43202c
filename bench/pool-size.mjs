// Rows about large user pools: a million users come in, and one of them is found, read and signed in.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { binary, scratch, start } from '../tests/e2e/support/harness.mjs';
import { median } from './measure.mjs';
import { password } from './setting.mjs';

const bcrypt = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
const person = (i) => `{"username":"user${i}","attributes":{"email":"user${i}@example.org","email_verified":"true","given_name":"User","family_name":"Number ${i}"},"passwordHash":"${bcrypt}"}\n`;

function fileOf(folder, n) {
    const file = path.join(folder, `${n}.jsonl`), fd = fs.openSync(file, 'w');
    for (let at = 0; at < n; at += 10000) fs.writeSync(fd, Array.from({ length: Math.min(10000, n - at) }, (_, i) => person(at + i)).join(''));
    fs.closeSync(fd);
    return file;
}

const peakMiB = (pid) => {
    try {
        return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    } catch {
        return 0;
    }
};

// A verb of gatehouse to its end: seconds, and the most memory it had.
function verb(server, args) {
    return new Promise((resolve, reject) => {
        const begun = process.hrtime.bigint();
        const child = spawn(binary(), ['pool', ...args], { env: { ...process.env, AWS_ENDPOINT_URL: server.url, GATEHOUSE_PASSPHRASE: 'correct horse battery' }, stdio: ['ignore', 'ignore', 'inherit'] });
        let peak = 0;
        const watch = setInterval(() => (peak = Math.max(peak, peakMiB(child.pid))), 200);
        child.once('exit', (code) => {
            clearInterval(watch);
            const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
            if (code === 0) resolve({ seconds, peak });
            else reject(new Error(`pool ${args[0]} ended with ${code}`));
        });
    });
}

// The server's own time for the calls that `fn` makes, out of the audit's lines.
async function tookUs(server, operation, times, fn) {
    const from = fs.statSync(server.logFile).size;
    for (let i = 0; i < times; i++) await fn(i);
    const lines = fs.readFileSync(server.logFile).subarray(from).toString().split('\n').filter((line) => line.includes(`"${operation}"`) || line.includes(`operation=${operation} `));
    const took = lines.map((line) => Number(/took_us"?[:=]"?(\d+)/.exec(line)?.[1])).filter(Number.isFinite);
    if (took.length < times) throw new Error(`${took.length} of ${times} ${operation} in the log`);
    return median(took);
}

async function poolOf(server, api, name, n) {
    const { UserPool } = await api.send(new idp.CreateUserPoolCommand({ PoolName: name, AliasAttributes: ['email'] }));
    const { UserPoolClient } = await api.send(new idp.CreateUserPoolClientCommand({ UserPoolId: UserPool.Id, ClientName: 'app', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] }));
    const imported = await verb(server, ['import-users', UserPool.Id, fileOf(path.dirname(server.data), n)]);
    await api.send(new idp.AdminSetUserPasswordCommand({ UserPoolId: UserPool.Id, Username: 'user500', Password: password, Permanent: true }));
    return { UserPoolId: UserPool.Id, ClientId: UserPoolClient.ClientId, imported, n };
}

async function times(server, api, { UserPoolId, ClientId, n }, quick) {
    const some = () => Math.floor(Math.random() * n), few = quick ? 50 : 300;
    const signIn = () => api.send(new idp.InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'user500@example.org', PASSWORD: password } }));
    await signIn();
    return {
        signIn: await tookUs(server, 'InitiateAuth', quick ? 20 : 100, signIn),
        get: await tookUs(server, 'AdminGetUser', few, () => api.send(new idp.AdminGetUserCommand({ UserPoolId, Username: `user${some()}` }))),
        list: await tookUs(server, 'ListUsers', few, () => api.send(new idp.ListUsersCommand({ UserPoolId, Filter: `email = "user${some()}@example.org"` }))),
    };
}

const us = (n) => (n < 1000 ? `${Math.round(n)} µs` : `${(n / 1000).toFixed(2)} ms`);

export const poolSizeRows = (row, { quick, workers }) => ({
    async 'pool-size'() {
        const many = quick ? 50000 : 1000000, folder = scratch(null, 'gatehouse-bench');
        const server = await start(null, { args: ['--workers', String(workers)], data: path.join(folder, 'data') });
        try {
            const api = server.client(idp.CognitoIdentityProviderClient);
            const small = await poolOf(server, api, 'small', 1000), large = await poolOf(server, api, 'large', many);
            const peak = peakMiB(server.pid) + large.imported.peak, words = `${many.toLocaleString('en')} users`;
            row(`import of ${words}`, `${large.imported.seconds.toFixed(0)} s, ${Math.round(many / large.imported.seconds).toLocaleString('en')} users/s`);
            row('  memory of server and command line at most', `${peak.toFixed(0)} MiB`, '', '', '< 1 GiB', peak < 1024);
            const [a, b] = [await times(server, api, small, quick), await times(server, api, large, quick)];
            for (const [what, key] of [['password sign-in', 'signIn'], ['AdminGetUser', 'get']])
                row(`${what} among ${words}, and among 1,000`, us(b[key]), us(a[key]), `${(b[key] / a[key]).toFixed(2)}×`, '≤ 1.3×', b[key] / a[key] <= 1.3);
            row(`ListUsers by e-mail among ${words}`, us(b.list), us(a.list), '', '< 5 ms', b.list < 5000);
            const file = path.join(folder, 'pool.export'), out = await verb(server, ['export', large.UserPoolId, file]);
            row(`export of ${words}`, `${out.seconds.toFixed(0)} s, ${(fs.statSync(file).size / 2 ** 20).toFixed(0)} MiB`);
            const back = await verb(server, ['import', file, '--as-new']);
            row('  and import as a new pool', `${back.seconds.toFixed(0)} s`);
            row('  memory of server and command line at most', `${(peakMiB(server.pid) + Math.max(out.peak, back.peak)).toFixed(0)} MiB`, '', '', '< 1 GiB', peakMiB(server.pid) + Math.max(out.peak, back.peak) < 1024);
        } finally {
            await server.stop();
            fs.rmSync(folder, { recursive: true, force: true });
        }
    },
});
