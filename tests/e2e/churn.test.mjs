// Everything changes while everything is used: deployments, stages, functions and tokens under
// load, clients that hang up in the middle, and a stop with work in flight. Run it with the tsan
// and asan presets, too: GATEHOUSE_BIN=build/tsan/gatehouse node --test tests/e2e/churn.test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';

import { api, control, fn, functions, httpProxy, lambdaProxy } from './support/apis.mjs';
import { atEnd, eventually, request, start } from './support/harness.mjs';
import { zip } from './support/zip.mjs';

const ROUNDS = 100;
const handler = (version) => `export const handler = async () => ({ statusCode: 200, body: 'fn ${version}' });`;

// What a server holds open besides files: sockets, pipes, processes, loops. SQLite opens its
// files once a thread, whenever a thread first reads.
function open(server) {
    const folder = `/proc/${server.pid}/fd`;
    return fs.readdirSync(folder).map((fd) => {
        try {
            return fs.readlinkSync(`${folder}/${fd}`);
        } catch {
            return '/'; // closed meanwhile
        }
    }).filter((link) => !link.startsWith('/'));
}
const descriptors = (server) => open(server).length;

// The test's own kept connections.
function hangUp(server) {
    http.globalAgent.destroy();
    for (const client of server.clients) client.destroy();
}

const noMore = (server, before) =>
    eventually(`no more descriptors than the ${before} of before`, () => descriptors(server) <= before)
        .catch((error) => { throw new Error(`${error.message}: ${open(server).join(' ')}`); });

const children = (server) =>
    fs.readdirSync(`/proc/${server.pid}/task`).flatMap((one) => fs.readFileSync(`/proc/${server.pid}/task/${one}/children`, 'utf8').split(' ').filter(Boolean)).length;

// Nothing is in flight and nobody connected but this look.
const atRest = (server) => eventually('a server at rest', async () => {
    const { text } = await request(`${server.url}/_gatehouse/metrics`, { agent: false, headers: { connection: 'close' } });
    return /gatehouse_connections 1\n/.test(text) && /gatehouse_requests_in_flight 1\n/.test(text);
});

// answer(req, res), and `requests` counts; its kept connections can be cut.
async function backend(t, answer) {
    const self = { requests: 0, server: http.createServer((req, res) => { self.requests++; answer(req, res); }) };
    self.server.keepAliveTimeout = 60000;
    await new Promise((done) => self.server.listen(0, '127.0.0.1', done));
    self.url = `http://127.0.0.1:${self.server.address().port}`;
    atEnd(t, () => { self.server.closeAllConnections(); self.server.close(); });
    return self;
}

async function pool(server) {
    const client = server.client(idp.CognitoIdentityProviderClient);
    const send = (name, input) => client.send(new idp[`${name}Command`](input));
    const { UserPool } = await send('CreateUserPool', { PoolName: 'churn' });
    const { UserPoolClient } = await send('CreateUserPoolClient', { UserPoolId: UserPool.Id, ClientName: 'web', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await send('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'ada', MessageAction: 'SUPPRESS' });
    await send('AdminSetUserPassword', { UserPoolId: UserPool.Id, Username: 'ada', Password: 'Passw0rd!x', Permanent: true });
    return {
        arn: UserPool.Arn,
        signIn: async () => (await send('InitiateAuth', { ClientId: UserPoolClient.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: 'Passw0rd!x' } })).AuthenticationResult,
        revoke: (RefreshToken) => send('RevokeToken', { ClientId: UserPoolClient.ClientId, Token: RefreshToken }),
    };
}

// One keep-alive connection that asks again and again; what comes back is judged at once.
async function ask(load, seen) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; !load.over; i++) {
        const [name, url, headers, allowed] = load.kinds[i % load.kinds.length]();
        load.asked++;
        const answer = await request(url, { agent, headers });
        const got = `${answer.status} ${answer.text}`;
        assert.ok(allowed.some((one) => (one instanceof RegExp ? one.test(got) : one === got)), `${name}: ${got}`);
        load.answered++;
        seen[`${name} ${answer.status}`] = (seen[`${name} ${answer.status}`] ?? 0) + 1;
    }
    agent.destroy();
}

test('deployments, stages, functions and tokens change under load: no answer is lost or wrong', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const home = await backend(t, (req, res) => res.end('home'));
    const users = await pool(server);
    const arn = await fn(server, 'churn', handler(0));
    const one = await api(server, {
        'GET /proxy': { integration: httpProxy(home.url) },
        'GET /fn': { integration: lambdaProxy(arn) },
        'GET /mock': { answers: { 200: { responseTemplates: { 'application/json': '"0"' } } } },
    });
    const authorizer = await control(server).createAuthorizer({ restApiId: one.id, name: 'pool', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [users.arn] });
    await one.add('GET /me', { method: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: authorizer.id }, answers: { 200: { responseTemplates: { 'application/json': '"me"' } } } });
    await one.deploy();
    const flip = (path) => one.url.replace(/dev$/, 'flip') + path;
    const gateway = control(server);
    const mockAt = { restApiId: one.id, resourceId: await one.resources.id('/mock'), httpMethod: 'GET', statusCode: '200' };
    const newCode = (version) => functions(server).updateFunctionCode({ FunctionName: 'churn', ZipFile: zip({ 'index.mjs': handler(version) }) });

    // The first of everything, then what is kept of it goes: processes of replaced code, kept connections.
    let token = await users.signIn();
    for (const path of ['/proxy', '/fn', '/mock']) assert.equal((await request(one.url + path)).status, 200, path);
    assert.equal((await request(`${one.url}/me`, { headers: { authorization: token.IdToken } })).status, 200);
    const rest = async () => {
        home.server.closeAllConnections();
        hangUp(server);
        await atRest(server);
        await eventually('the old processes gone', () => children(server) === 0);
    };
    await newCode(0);
    await rest();
    const before = descriptors(server);

    const load = { over: false, asked: 0, answered: 0, kinds: [
        () => ['mock', `${one.url}/mock`, {}, [/^200 "\d+"$/]],
        () => ['proxy', `${one.url}/proxy`, {}, ['200 home']],
        () => ['flip', flip('/mock'), {}, [/^200 "\d+"$/, /^403 {"message":"Forbidden"}$/]],
        () => ['me', `${one.url}/me`, { authorization: token.IdToken }, ['200 "me"', '401 {"message":"Unauthorized"}']],
        () => ['mock', `${one.url}/mock`, {}, [/^200 "\d+"$/]],
        () => ['fn', `${one.url}/fn`, {}, [/^200 fn \d+$/]],
    ] };
    const seen = {};
    const askers = Promise.all(Array.from({ length: 3 }, () => ask(load, seen).catch((error) => { load.over = true; throw error; })));
    askers.catch(() => {}); // told below
    const clients = [control(server), control(server)];
    let flipped = false, now = 0;
    for (let round = 1; round <= ROUNDS && !load.over; round++) {
        if (round % 2) {
            now = round;
            await gateway.updateIntegrationResponse({ ...mockAt, patchOperations: [{ op: 'replace', path: '/responseTemplates/application~1json', value: `"${now}"` }] });
        }
        const others = [];
        if (round % 4 === 0) { // made by a deployment, deleted by name
            others.push(flipped ? clients[0].deleteStage({ restApiId: one.id, stageName: 'flip' }) : clients[0].createDeployment({ restApiId: one.id, stageName: 'flip' }));
            flipped = !flipped;
        }
        if (round % 10 === 5) others.push(clients[1].createDeployment({ restApiId: one.id, stageName: 'dev' })); // two at once
        if (round % 25 === 0) others.push(newCode(round));
        await Promise.all([...others, gateway.createDeployment({ restApiId: one.id, stageName: 'dev' })]);
        assert.equal((await request(`${one.url}/mock`)).text, `"${now}"`, 'what was deployed is served from then on');
        if (round % 20 === 0) {
            const old = token;
            assert.equal((await request(`${one.url}/me`, { headers: { authorization: old.IdToken } })).status, 200);
            await users.revoke(old.RefreshToken);
            assert.equal((await request(`${one.url}/me`, { headers: { authorization: old.IdToken } })).status, 401, 'revoked is revoked at once');
            token = await users.signIn();
        }
    }
    load.over = true;
    await askers;
    assert.equal(load.answered, load.asked);
    for (const kind of ['mock 200', 'proxy 200', 'flip 200', 'flip 403', 'me 200', 'fn 200']) assert.ok(seen[kind] > 0, `${kind}: ${JSON.stringify(seen)}`);
    await newCode(999);
    assert.equal((await request(`${one.url}/fn`)).text, 'fn 999');
    await newCode(0);
    await rest();
    await noMore(server, before);
    await server.stop();
});

// Sends bytes on a socket of its own; `reset` hangs up the hard way.
function raw(server, text) {
    const self = { text: '', socket: net.connect(server.port, '127.0.0.1', () => self.socket.write(text)) };
    self.socket.on('data', (piece) => (self.text += piece)).on('error', () => {});
    self.closed = new Promise((done) => self.socket.once('close', done));
    return self;
}

test('clients hang up in the middle of everything: nothing stays behind, and the server stops at once', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const held = [];
    const slow = await backend(t, (req, res) => { req.on('error', () => {}); held.push(res); });
    const endless = await backend(t, (req, res) => {
        const more = () => { while (!res.destroyed && res.write('x'.repeat(16384))); };
        res.on('drain', more);
        more();
    });
    const started = await backend(t, (req, res) => res.end());
    const arn = await fn(server, 'slow', `export const handler = async () => { await fetch('${started.url}'); await new Promise((r) => setTimeout(r, 700)); return { statusCode: 200, body: 'late' }; };`, { Timeout: 10 });
    const one = await api(server, {
        'GET /slow': { integration: httpProxy(slow.url) }, 'GET /endless': { integration: httpProxy(endless.url) },
        'POST /up': { integration: httpProxy(slow.url) }, 'GET /fn': { integration: lambdaProxy(arn) },
    });
    const { pathname } = new URL(one.url);
    const head = (line, more = '') => `${line} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    hangUp(server);
    await atRest(server);
    const before = descriptors(server);

    for (let round = 0; round < 5; round++) {
        const job = raw(server, head('POST /', 'X-Amz-Target: AWSCognitoIdentityProviderService.CreateUserPool\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 20\r\n') + '{"PoolName":"hasty"}');
        const running = raw(server, head(`GET ${pathname}/slow`)), streaming = raw(server, head(`GET ${pathname}/endless`));
        const sending = raw(server, head(`POST ${pathname}/up`, 'Content-Length: 1000000\r\n') + 'x'.repeat(1000));
        const held_n = slow.requests;
        await eventually('the calls at their backends', () => slow.requests >= 2 * (round + 1) && endless.requests === round + 1 && streaming.text.length > 0);
        assert.ok(held_n <= slow.requests);
        for (const one of [job, running, streaming, sending]) one.socket.resetAndDestroy();
    }
    const calls = started.requests;
    const calling = raw(server, head(`GET ${pathname}/fn`));
    await eventually('the function runs', () => started.requests > calls);
    calling.socket.resetAndDestroy();

    // Chunks that make no sense, in the middle of a stream to an endpoint: told, not left waiting.
    const nonsense = raw(server, head(`POST ${pathname}/up`, 'Transfer-Encoding: chunked\r\n') + '4\r\nabcd\r\nZZ\r\n');
    await nonsense.closed;
    assert.match(nonsense.text, /^HTTP\/1\.1 400 /);

    hangUp(server);
    await atRest(server);
    for (const res of held) res.destroy();
    endless.server.closeAllConnections();
    started.server.closeAllConnections();
    await functions(server).updateFunctionCode({ FunctionName: 'slow', ZipFile: zip({ 'index.mjs': 'export const handler = 1;' }) }); // its process goes
    hangUp(server);
    await noMore(server, before);
    await server.stop();
});

test('a stop with work in flight: what was begun is answered, the rest is refused, and the end is clean', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const held = [];
    const slow = await backend(t, (req, res) => held.push(res));
    const started = await backend(t, (req, res) => held.push(res));
    const arn = await fn(server, 'slow', `export const handler = async () => ({ statusCode: 200, body: await (await fetch('${started.url}')).text() });`, { Timeout: 20 });
    const one = await api(server, { 'GET /slow': { integration: httpProxy(slow.url) }, 'GET /fn': { integration: lambdaProxy(arn) }, 'GET /mock': {} });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await request(`${one.url}/mock`, { agent })).status, 200); // stays open, idle
    const begun = [
        ...Array.from({ length: 4 }, () => request(`${one.url}/slow`)),
        request(`${one.url}/fn`),
        functions(server).invoke({ FunctionName: 'slow', Payload: '{}' }).then((answer) => ({ status: answer.StatusCode, text: JSON.parse(Buffer.from(answer.Payload).toString()).body })),
    ];
    await eventually('all of them under way', () => slow.requests === 4 && started.requests === 2);
    const jobs = Array.from({ length: 8 }, (_, i) => control(server).createRestApi({ name: `last ${i}` }).then(() => 'made', (error) => error.code ?? error.name));
    process.kill(server.pid, 'SIGTERM');
    await eventually('it accepts no more', () => new Promise((done) => {
        const probe = net.connect(server.port, '127.0.0.1', () => { probe.destroy(); done(false); }).on('error', () => done(true));
    }));
    for (const res of held) res.end('late');
    for (const answer of await Promise.all(begun)) {
        assert.equal(answer.status, 200);
        assert.equal(answer.text, 'late');
    }
    for (const outcome of await Promise.all(jobs)) assert.ok(['made', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(outcome), outcome);
    agent.destroy();
    const { code, signal } = await server.exited;
    assert.equal(code, 0, `${signal} ${server.log().slice(-3000)}`);
});

test('a function that is replaced while it runs keeps its files to its end; then they go', async (t) => {
    const server = await start(t);
    const held = [];
    const gate = await backend(t, (req, res) => held.push(res));
    const source = `import fs from 'node:fs';
        export const handler = async () => { await (await fetch('${gate.url}')).text(); return fs.readFileSync('index.mjs', 'utf8').length; };`;
    await fn(server, 'lazy', source, { Timeout: 20 });
    const packages = () => fs.readdirSync(`${server.data}/functions/packages`).length;
    const running = functions(server).invoke({ FunctionName: 'lazy' });
    await eventually('it runs', () => held.length === 1);
    await functions(server).updateFunctionCode({ FunctionName: 'lazy', ZipFile: zip({ 'index.mjs': handler(1) }) });
    held[0].end('go');
    const answer = await running;
    assert.equal(answer.FunctionError, undefined, Buffer.from(answer.Payload).toString());
    assert.equal(JSON.parse(Buffer.from(answer.Payload).toString()), source.length);
    await eventually('the old package gone', () => packages() === 1);
});
