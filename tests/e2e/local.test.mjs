// What Gatehouse says of itself under /_gatehouse/, and what it says when it cannot start.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { CognitoIdentityProviderClient, CreateUserPoolCommand, ListUserPoolsCommand } from '@aws-sdk/client-cognito-identity-provider';
import { start, scratch, run, binary, eventually, request } from './support/harness.mjs';

test('health says what the process is and what serves which runtime', async (t) => {
    const server = await start(t);
    const health = await eventually('the sandbox and the interpreters found', async () => {
        const seen = await (await server.fetch('/_gatehouse/health')).json();
        return seen.functions.sandbox.mode !== 'unknown' && 'nodejs20.x' in seen.functions.runtimes && seen;
    });
    assert.equal(health.status, 'ok');
    assert.equal(health.mode, 'dev');
    assert.equal(health.account, '000000000000');
    assert.ok(['bubblewrap', 'none'].includes(health.functions.sandbox.mode), JSON.stringify(health.functions));
    assert.match(health.functions.runtimes['nodejs20.x'].version, /^v?\d+\./);
});

test('ready, metrics, openapi and capabilities answer; anything else is a 404 that lists them', async (t) => {
    const server = await start(t);
    assert.deepEqual(await (await server.fetch('/_gatehouse/ready')).json(), { ready: true });
    const metrics = await (await server.fetch('/_gatehouse/metrics')).text();
    for (const name of ['gatehouse_connections', 'gatehouse_jobs_queued', 'gatehouse_management_calls_total'])
        assert.match(metrics, new RegExp(`^${name} \\d+$`, 'm'));
    const yaml = await (await server.fetch('/_gatehouse/openapi/sts')).text();
    assert.match(yaml, /operationId: GetCallerIdentity/);
    assert.equal((await server.fetch('/_gatehouse/openapi/s3')).status, 404);
    const capabilities = await (await server.fetch('/_gatehouse/capabilities')).json();
    assert.equal(capabilities.operations, 679);
    const lost = await server.fetch('/_gatehouse/nothing');
    assert.equal(lost.status, 404);
    assert.match((await lost.json()).message, /health, ready, metrics/);
    assert.equal((await server.fetch('/_gatehouse/health', { method: 'POST' })).status, 405);
});

test('a request that is for nobody gets a 404 that says what was looked for', async (t) => {
    const server = await start(t);
    const answer = await server.fetch('/favicon.ico');
    assert.equal(answer.status, 404);
    assert.match((await answer.json()).message, /GET \/favicon\.ico .*an API .*user pool.*management operation/);
});

test('the clock of dev mode moves, and back', async (t) => {
    const server = await start(t);
    const post = async (body) => (await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) })).json();
    const before = Date.now();
    assert.equal((await post({ advance_s: 3600 })).offset_s, 3600);
    assert.equal((await post({ advance_s: 3600 })).offset_s, 7200);
    const moved = Date.parse((await (await server.fetch('/_gatehouse/health')).json()).time);
    assert.ok(moved - before >= 7200000, `${moved - before}`);
    assert.match((await post({ at: '2030-01-01T00:00:00Z' })).time, /^2030-01-01T00:00:0/);
    assert.equal((await post({})).offset_s, 0);
    assert.equal((await server.fetch('/_gatehouse/clock', { method: 'POST', body: '{"at":"soon"}' })).status, 400);
});

test('reset drops the calling account and no other', async (t) => {
    const server = await start(t);
    const client = (accessKeyId) => server.client(CognitoIdentityProviderClient, { credentials: { accessKeyId, secretAccessKey: 'x' } });
    for (const account of ['111111111111', '222222222222'])
        await client(account).send(new CreateUserPoolCommand({ PoolName: 'shop' }));
    const authorization = 'AWS4-HMAC-SHA256 Credential=111111111111/20261121/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=00';
    const answer = await server.fetch('/_gatehouse/reset', { method: 'POST', headers: { authorization } });
    assert.deepEqual(await answer.json(), { account: '111111111111', reset: true });
    const pools = async (account) => (await client(account).send(new ListUserPoolsCommand({ MaxResults: 10 }))).UserPools.length;
    assert.equal(await pools('111111111111'), 0);
    assert.equal(await pools('222222222222'), 1);
});

test('start says why it cannot: exit code and sentence', async (t) => {
    const folder = scratch(t);
    const at = (name) => path.join(folder, name);
    fs.writeFileSync(at('file'), '');
    fs.mkdirSync(at('damaged'));
    fs.writeFileSync(at('damaged/gatehouse.db'), 'this is no database. '.repeat(300));
    fs.writeFileSync(at('config'), 'region = us-east-1\ncolour = red\n');
    const server = await start(t, { data: at('used') });
    const rows = [
        ['unknown verb', ['fly'], 1, /no verb is called "fly"/],
        ['unknown option', ['dev', '--colour', 'red'], 1, /no option is called "--colour"/],
        ['not loopback', ['dev', '--listen', '0.0.0.0:0'], 1, /loopback only/],
        ['bad line in the config', ['dev', '--config', at('config')], 1, /config, line 2: no option is called "colour"/],
        ['data is a file', ['dev', '--data', at('file'), '--listen', '127.0.0.1:0'], 2, /file is not a folder/],
        ['damaged database', ['dev', '--data', at('damaged'), '--listen', '127.0.0.1:0'], 3, /not a database/],
        ['folder in use', ['dev', '--data', at('used'), '--listen', '127.0.0.1:0'], 2, /another Gatehouse uses/],
        ['port in use', ['dev', '--data', at('other'), '--listen', `127.0.0.1:${server.port}`], 2, /in use/i],
    ];
    for (const [name, args, code, sentence] of rows) {
        const answer = await run(binary(), args);
        assert.equal(answer.code, code, `${name}: ${answer.stderr}`);
        assert.match(answer.stderr, sentence, name);
    }
});

test('the verbs say what is wrong, and what failed leaves nothing behind', async (t) => {
    const server = await start(t);
    const backend = server.url;
    const folder = scratch(t);
    const rows = [
        ['help of a server verb', ['up', '--help'], 0, /--data DIR/],
        ['an address without scheme', ['api', 'new', 'hello', '--to', 'localhost:3000'], 1, /--to http:\/\/localhost:3000/],
        ['an address that API Gateway refuses', ['api', 'new', 'hello', '--to', 'http://a b'], 1, /Invalid HTTP endpoint/],
        ['the same name again', ['api', 'new', 'hello', '--to', backend], 0, /_aws\/execute-api\//],
        ['a name that is taken', ['api', 'new', 'hello', '--to', backend], 1, /there is an API called hello already/],
        ['a misspelt flag', ['pool', 'new', 'shop', '--protects', 'hello'], 1, /usage: gatehouse pool new/],
        ['a flag without its value', ['pool', 'new', 'shop', '--protect'], 1, /usage: gatehouse pool new/],
        ['sign-in for an API that is not there', ['pool', 'new', 'shop', '--protect', 'nope'], 1, /no API is called nope/],
        ['the same pool for one that is', ['pool', 'new', 'shop', '--protect', 'hello'], 0, /password /],
        ['a user who is not there', ['token', 'shop', 'nobody'], 1, /User does not exist/],
        ['its test user', ['token', 'shop', 'test', '--access'], 0, /^ey/],
        ['a trace that is not there', ['why', 'nonsense'], 1, /^gatehouse: No such trace/],
        ['a profile', ['env', '--write'], 0, /profile called gatehouse/],
        ['a flag that env does not know', ['env', '--wirte'], 1, /usage: gatehouse env/],
    ];
    for (const [name, args, code, sentence] of rows) {
        const answer = await run(binary(), args, { env: { AWS_ENDPOINT_URL: server.url, HOME: folder, AWS_CONFIG_FILE: '' } });
        assert.equal(answer.code, code, `${name}: ${answer.stderr}`);
        assert.match(code ? answer.stderr : answer.stdout, sentence, name);
    }
    assert.equal(fs.statSync(path.join(folder, '.aws/config')).mode & 0o777, 0o600, 'the profile holds a secret');
});

test('SIGTERM finishes what is under way and exits with 0', async (t) => {
    const server = await start(t);
    assert.equal((await server.fetch('/_gatehouse/ready')).status, 200);
    assert.deepEqual(await server.end('SIGTERM'), { code: 0, signal: null });
});

test('in dev mode, where any key is root, pages of other sites are not answered', async (t) => {
    const server = await start(t);
    const rows = [
        ['a page of another site', 'POST', '/', { origin: 'https://evil.example' }, 403],
        ['its preflight', 'OPTIONS', '/', { origin: 'https://evil.example', 'access-control-request-method': 'POST' }, 403],
        ['its image', 'GET', '/_gatehouse/outbox', { 'sec-fetch-site': 'cross-site' }, 403],
        ['a sandboxed frame', 'POST', '/_gatehouse/reset', { origin: 'null' }, 403],
        ['a rebound name', 'GET', '/_gatehouse/outbox', { host: 'evil.example' }, 403],
        ['a name that only begins like ours', 'POST', '/_gatehouse/reset', { origin: 'http://localhost.evil.example' }, 403],
        ['a name that begins like an address', 'GET', '/_gatehouse/outbox', { host: '127.0.0.1.evil.example' }, 403],
        ['a page on this machine', 'GET', '/_gatehouse/outbox', { origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' }, 200],
        ['its preflight', 'OPTIONS', '/', { origin: 'http://127.0.0.1:3000', 'access-control-request-method': 'POST' }, 200],
        ['the address bar', 'GET', '/_gatehouse/outbox', { 'sec-fetch-site': 'none' }, 200],
        ['no browser', 'GET', '/_gatehouse/outbox', {}, 200],
    ];
    for (const [name, method, target, headers, status] of rows)
        assert.equal((await request(server.url + target, { method, headers })).status, status, name);
});
