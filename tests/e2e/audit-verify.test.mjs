// gatehouse audit verify: each way of changing the log is found, offline and by a running server; what it signs can be
// checked with nothing of ours, and what others sign in its format it can check.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { CreateUserCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam';

import { check, files, records, write } from './support/audit.mjs';
import { binary, eventually, run, scratch, start } from './support/harness.mjs';

const event = (i) => ({ eventVersion: '1.11', userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::000000000000:user/u${i % 10}`, userName: `u${i % 10}` }, eventTime: new Date(1.7e12 + i * 1000).toISOString().replace('.000', ''), eventSource: 'iam.amazonaws.com', eventName: `Do${i % 7}`, requestParameters: { userName: `x${i}` }, recipientAccountId: '000000000000' });
const verify = async (folder, ...args) => {
    const { code, stdout, stderr } = await run(binary(), ['audit', 'verify', '--dir', folder, '--json', ...args]);
    return { code, stderr, ...(stdout && JSON.parse(stdout)) };
};
const edit = (file, change) => fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
const swapLines = (text, a, b) => {
    const all = text.split('\n');
    [all[a], all[b]] = [all[b], all[a]];
    return all.join('\n');
};
const withoutLine = (text, n) => text.split('\n').filter((_, i) => i !== n).join('\n');

test('offline: what is found, where, and with which exit code', async (t) => {
    const good = path.join(scratch(t), 'good');
    write(good, 3000, event, 200 << 10);
    assert.equal(check(good).sequence, 3000 + 2 + Math.floor(3000 / 999));
    const first = await verify(good);
    assert.deepEqual([first.code, first.ok, first.checked], [0, true, check(good).sequence], JSON.stringify(first));
    const rows = [
        ['a record changed', 'changed', (f) => edit(f[1], (s) => s.replace('"x900"', '"x901"').replace(/"userName":"u3"/, '"userName":"u4"'))],
        ['a record removed', 'removed', (f) => edit(f[1], (s) => withoutLine(s, 5)), 6],
        ['a record twice', 'inserted', (f) => edit(f[1], (s) => s.replace(/^(.*\n)/, '$1$1')), 2],
        ['two swapped', 'reordered', (f) => edit(f[1], (s) => swapLines(s, 7, 8)), 8],
        ['something else', 'not a record', (f) => edit(f[2], (s) => `{"eventName":"Nothing"}\n${s}`), 1],
        ['a file missing', 'missing segment', (f) => fs.rmSync(f[2])],
        ['the first file missing', 'missing segment', (f) => fs.rmSync(f[0])],
        ['the last file missing', 'truncated', (f) => fs.rmSync(f.at(-1))],
        ['the end cut off', 'truncated', (f) => edit(f.at(-1), (s) => s.slice(0, -900))],
        ['a forged checkpoint', 'forged checkpoint', (f) => edit(f[0], (s) => s.replace(/"signature":"./, (m) => (m.endsWith('A') ? m.replace(/A$/, 'B') : m.replace(/.$/, 'A'))))],
        ['the public key swapped', 'forged checkpoint', (f) => {
            const other = path.join(scratch(t), 'other');
            write(other, 1, event);
            fs.copyFileSync(path.join(other, 'public-key.pem'), path.join(path.dirname(f[0]), 'public-key.pem'));
        }],
    ];
    for (const [name, fault, change, line] of rows) {
        const copy = path.join(scratch(t), 'copy');
        fs.cpSync(good, copy, { recursive: true });
        change(files(copy));
        const report = await verify(copy);
        assert.deepEqual([report.code, report.ok, report.fault], [2, false, fault], `${name}: ${JSON.stringify(report)}`);
        assert.ok(report.message.length > 10 && report.sequence > 0, name);
        if (line) assert.equal(report.line, line, name);
        fs.rmSync(copy, { recursive: true });
    }
    // A log made anew with another key stands up to its own key, not to the one that was kept.
    const forged = path.join(scratch(t), 'forged'), kept = path.join(path.dirname(good), 'kept.pem');
    fs.copyFileSync(path.join(good, 'public-key.pem'), kept);
    write(forged, 100, event);
    assert.equal((await verify(forged)).code, 0);
    assert.deepEqual([(await verify(forged, '--key', kept)).fault, (await verify(good, '--key', kept)).ok], ['forged checkpoint', true]);
    const part = await verify(good, '--from', '2000', '--to', '2100');
    assert.ok(part.ok && part.first > 1 && part.last >= 2100 && part.last < 3003, JSON.stringify(part));
    for (const args of [['--from', 'x'], ['--key', '/nowhere.pem'], ['--bogus']]) assert.equal((await verify(good, ...args)).code, 1, args.join(' '));
    assert.equal((await run(binary(), ['audit', 'verify', '--dir', '/nowhere'])).code, 1);
    const text = await run(binary(), ['audit', 'verify', '--dir', good]);
    assert.match(text.stdout, /is as it was written: records 1 to 3005/);
});

test('a running server: its own folder, its key, and what it remembers', async (t) => {
    const server = await start(t);
    const folder = path.join(server.data, 'audit');
    const iam = server.client(IAMClient);
    const asked = async () => {
        const { code, stdout } = await run(binary(), ['audit', 'verify', '--json'], { env: { AWS_ENDPOINT_URL: server.url } });
        return { code, ...JSON.parse(stdout) };
    };
    for (let i = 0; i < 20; i++) await iam.send(new CreateUserCommand({ UserName: `u${i}` }));
    assert.equal((await asked()).code, 0);
    assert.equal((await verify(folder)).code, 0, 'beside the server, too');
    const { keyId, publicKey } = await (await server.fetch('/_gatehouse/audit/key')).json();
    assert.equal(publicKey, fs.readFileSync(path.join(folder, 'public-key.pem'), 'utf8'));
    assert.match(keyId, /^[0-9a-f]{16}$/);
    assert.equal((await run(binary(), ['audit', 'key'], { env: { AWS_ENDPOINT_URL: server.url } })).stdout, publicKey);
    await t.test('reads come to disk by themselves', async () => {
        await iam.send(new GetUserCommand({ UserName: 'u1' }));
        await eventually('the record of a read', () => records(folder).some((one) => one.eventName === 'GetUser'));
    });
    await t.test('a tail that was cut under it: no checkpoint knew, the writer does', async () => {
        const [file] = files(folder);
        const whole = fs.readFileSync(file, 'utf8');
        fs.truncateSync(file, whole.slice(0, -2).lastIndexOf('\n') + 1);
        const report = await asked();
        assert.deepEqual([report.code, report.ok], [2, false]);
        assert.ok(['truncated', 'not a record'].includes(report.fault), JSON.stringify(report));
    });
    await server.stop();
});

test('stopped and started: one chain, checked without any code of ours', async (t) => {
    const server = await start(t);
    const folder = path.join(server.data, 'audit');
    for (let i = 0; i < 3; i++) {
        const iam = server.client(IAMClient);
        await Promise.all(Array.from({ length: 12 }, (_, k) => iam.send(new CreateUserCommand({ UserName: `u${i}-${k}` }))));
        await server.restart('SIGTERM');
    }
    await server.stop();
    assert.deepEqual(check(folder), { sequence: 36 + 3 * 2, checkpoints: 6 });
    assert.equal((await verify(folder)).code, 0);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    for (const name of fs.readdirSync(folder)) assert.equal(fs.statSync(path.join(folder, name)).mode & 0o077, 0, name);
});

test('what is older than --audit-keep goes, and the rest still stands', async (t) => {
    const server = await start(t, { args: ['--audit-keep', '3'] });
    const folder = path.join(server.data, 'audit');
    const clock = async (advance_s) => assert.equal((await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify({ advance_s }) })).status, 200);
    for (let day = 0; day < 6; day++) {
        const iam = server.client(IAMClient);
        for (let i = 0; i < 3; i++) await iam.send(new CreateUserCommand({ UserName: `d${day}-${i}` }));
        await clock(86401);
        await iam.send(new CreateUserCommand({ UserName: `d${day}-last` }));
    }
    await eventually('old files gone', () => !files(folder)[0].endsWith('/000000000001.jsonl'));
    await server.stop();
    assert.ok(files(folder).length >= 3, 'the others stay');
    const report = await verify(folder);
    assert.ok(report.ok && report.first > 1, JSON.stringify(report));
});
