// Rows about the audit log: what it costs a management call, and what it takes to find something in a million records.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { write } from '../tests/e2e/support/audit.mjs';
import { binary, start } from '../tests/e2e/support/harness.mjs';

// A key that dev mode takes for root's is not looked at closely: signing would be most of what is measured.
function iam(server, agent, form) {
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const headers = {
        'content-type': 'application/x-www-form-urlencoded', 'x-amz-date': stamp,
        authorization: `AWS4-HMAC-SHA256 Credential=test/${stamp.slice(0, 8)}/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    };
    return new Promise((resolve, reject) => {
        const request = http.request({ port: server.port, host: '127.0.0.1', method: 'POST', path: '/', agent, headers }, (answer) => {
            answer.resume();
            answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`IAM answers ${answer.statusCode}`))));
        });
        request.on('error', reject);
        request.end(`Version=2010-05-08&${form}`);
    });
}

// Microseconds a call, seen by each of `lanes` clients.
async function wall(server, lanes, count, form) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: lanes });
    const begun = process.hrtime.bigint();
    await Promise.all(Array.from({ length: lanes }, async (_, lane) => { for (let i = 0; i < count / lanes; i++) await iam(server, agent, form(lane, i)); }));
    agent.destroy();
    return (Number(process.hrtime.bigint() - begun) / 1000 / count) * lanes;
}

const event = (i) => ({
    eventVersion: '1.11', userIdentity: { type: 'IAMUser', principalId: `AIDA${i % 1000}`, arn: `arn:aws:iam::000000000000:user/u${i % 1000}`, accountId: '000000000000', accessKeyId: `AKIA${i % 1000}`, userName: `u${i % 1000}` },
    eventTime: new Date(1.7e12 + i * 1000).toISOString().replace('.000', ''), eventSource: 'iam.amazonaws.com', eventName: ['GetUser', 'ListUsers', 'CreateUser', 'AssumeRole'][i % 4], awsRegion: 'us-east-1', sourceIPAddress: '10.0.0.1',
    userAgent: 'aws-sdk-js/3.967.0 ua/2.1 os/linux lang/js md/nodejs#20 api/iam#3.967.0', requestParameters: { userName: `someone-${i}` }, responseElements: null, requestID: `r-${i}`, eventID: `e-${i}`, readOnly: true,
    resources: [{ ARN: `arn:aws:iam::000000000000:user/someone-${i}`, accountId: '000000000000' }], eventType: 'AwsApiCall', managementEvent: true, recipientAccountId: '000000000000', eventCategory: 'Management',
});

export const auditRows = (row, { quick, folder }) => ({
    async audit() {
        const rounds = quick ? 2 : 7, seen = { required: { one: [], many: [], read: [], start: [] }, off: { one: [], many: [], read: [], start: [] } };
        const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-audit-')); // `folder` may be in memory, where syncing is free
        const servers = {};
        for (const mode of Object.keys(seen)) servers[mode] = await start(null, { data: path.join(disk, mode), args: ['--audit', mode, '--log-level', 'error'] });
        for (let r = 0; r < rounds; r++) {
            for (const [mode, server] of Object.entries(servers)) {
                seen[mode].one.push(await wall(server, 1, quick ? 50 : 120, (lane, i) => `Action=CreateUser&UserName=a${r}-${i}`));
                seen[mode].many.push(await wall(server, 16, quick ? 160 : 480, (lane, i) => `Action=CreateUser&UserName=b${r}-${lane}-${i}`));
                seen[mode].read.push(await wall(server, 1, quick ? 200 : 1000, () => 'Action=GetUser&UserName=a0-1'));
            }
        }
        for (let r = 0; r < rounds; r++)
            for (const [mode, server] of Object.entries(servers)) {
                await server.restart('SIGTERM');
                seen[mode].start.push(server.startMs);
            }
        for (const server of Object.values(servers)) await server.stop();
        fs.rmSync(disk, { recursive: true });
        const tell = (what, key, unit, goal) => {
            const withIt = Math.min(...seen.required[key]), without = Math.min(...seen.off[key]) /* what else runs here only adds */, ratio = withIt / without;
            row(`${what} with the audit log (beside: without)`, `${withIt.toFixed(unit === 'ms' ? 1 : 0)} ${unit}`, `${without.toFixed(unit === 'ms' ? 1 : 0)} ${unit}`, `${ratio.toFixed(2)}×`, `≤ ${goal}×`, ratio <= goal);
        };
        tell('CreateUser, one client', 'one', 'µs', 2);
        tell('CreateUser, 16 clients at once', 'many', 'µs', 1.5);
        tell('GetUser, one client', 'read', 'µs', 1.2);
        tell('start, existing data folder', 'start', 'ms', 1.2);
    },
    async 'audit-search'() {
        const n = quick ? 100000 : 1000000, place = path.join(folder, 'audit-million');
        write(place, n, event);
        const ms = (...args) => {
            const begun = process.hrtime.bigint();
            execFileSync(binary(), ['audit', ...args, '--dir', place], { maxBuffer: 1 << 28 });
            return Number(process.hrtime.bigint() - begun) / 1e6;
        };
        const best = (...args) => Math.min(...Array.from({ length: 3 }, () => ms(...args)));
        const oldest = best('search', 'resource=arn:aws:iam::000000000000:user/someone-3'), page = best('search', 'principal=u7', 'name=Assume*'), all = best('verify');
        const size = fs.readdirSync(place).reduce((sum, name) => sum + fs.statSync(path.join(place, name)).size, 0) >> 20;
        row(`audit search among ${n.toLocaleString('en')} records (${size} MiB): the oldest by its resource`, `${oldest.toFixed(0)} ms`, '', '', '≤ 2 s a million', oldest <= (2000 * n) / 1e6);
        row('the newest 50 of one user by name', `${page.toFixed(0)} ms`, '', '', '≤ 100 ms', page <= 100);
        row('audit verify, all of them', `${(all / 1000).toFixed(1)} s`, '', '', '≤ 10 s a million', all <= (10000 * n) / 1e6);
        fs.rmSync(place, { recursive: true });
    },
});
