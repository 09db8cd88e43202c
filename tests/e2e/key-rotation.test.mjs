// Signing keys of a pool take turns without anybody's token being refused (h06); a known key is refused at once (h07).
import assert from 'node:assert/strict';
import test from 'node:test';
import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

import { api } from './support/apis.mjs';
import { binary, eventually, request, rootKey, run, start } from './support/harness.mjs';
import { addPool, addUser, advance, refused, setOptions, setUp, signIn } from './support/userpool.mjs';

const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
const published = async ({ server, poolId }) => (await (await server.fetch(`/${poolId}/.well-known/jwks.json`)).json()).keys;
async function keys({ server, poolId }, verb, body = {}) {
    const answer = await server.fetch(`/_gatehouse/user-pools/${poolId}/keys${verb ? `/${verb}` : ''}`, verb ? { method: 'POST', body: JSON.stringify(body) } : {});
    return { status: answer.status, ...(await answer.json()) };
}
const states = ({ keys: list }) => list.map((one) => `${one.use} ${one.state}`).sort();
// An API that asks for an ID token of the pool: token => status.
async function protectedApi({ server, pool }) {
    const shop = await api(server, {});
    const authorizer = await shop.gateway.createAuthorizer({
        restApiId: shop.id, name: 'a', type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [pool.Arn],
    });
    await shop.add('GET /mine', { method: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: authorizer.id } });
    await shop.deploy();
    return async (token) => (await request(`${shop.url}/mine`, { headers: { Authorization: token } })).status;
}
const tokens = async (s) => (await signIn(s, 'ada')).AuthenticationResult;

test('next, current, retired: listed before it signs, and until its last token has expired', async (t) => {
    const s = await setUp(t);
    const { server } = s;
    await addUser(s, 'ada');
    const before = await tokens(s);
    assert.deepEqual(states(await keys(s)), ['access current', 'id current']);
    const rotated = await keys(s, 'rotate');
    assert.equal(rotated.status, 200);
    assert.deepEqual(states(rotated), ['access current', 'access next', 'id current', 'id next']);
    assert.deepEqual((await published(s)).map((one) => one.kid).sort(), rotated.keys.map((one) => one.kid).sort());
    assert.deepEqual((await published(s)).slice(0, 2).map((one) => one.kid), [kidOf(before.IdToken), kidOf(before.AccessToken)]);
    const again = await keys(s, 'rotate');
    assert.deepEqual([again.status, again.__type], [400, 'InvalidParameterException']);
    assert.match(again.message, /listed already/);

    await server.restart();
    await advance(server, 7190);
    assert.equal(kidOf((await tokens(s)).AccessToken), kidOf(before.AccessToken), 'not before everybody has it');
    const late = await tokens(s);
    await advance(server, 15);
    const after = await tokens(s);
    for (const [use, one] of [['id', after.IdToken], ['access', after.AccessToken]])
        assert.equal(kidOf(one), rotated.keys.find((key) => key.use === use && key.state === 'next').kid);
    assert.deepEqual(states(await keys(s)), ['access current', 'access retired', 'id current', 'id retired']);
    await s.api.getUser({ AccessToken: late.AccessToken });
    assert.ok((await published(s)).some((one) => one.kid === kidOf(late.AccessToken)), 'its tokens live');

    await advance(server, 24 * 3600);
    assert.equal((await published(s)).length, 2, 'nobody needs the old ones');
    assert.deepEqual(states(await keys(s)), ['access current', 'id current']);
    await refused(s.api.getUser({ AccessToken: late.AccessToken }), 'NotAuthorizedException', 'Access Token has expired');
    assert.equal((await keys(s, 'rotate')).keys.length, 4);
});

// aws-jwt-verify keeps a JWKS until it meets a kid that is not in it; this is the strictest way to keep one.
test('a rotation under load: no 401 at the gateway, and verifiers that keep the JWKS have the keys in time', async (t) => {
    const s = await setUp(t);
    const { server } = s;
    await addUser(s, 'ada');
    await setOptions(s, { keyListedSeconds: 300 });
    const mine = await protectedApi(s);
    const issuer = `${server.url}/${s.poolId}`;
    let fetched = 0;
    const fetcher = { fetch: async (uri) => ((fetched += 1), (await fetch(uri)).arrayBuffer()) };
    const verifier = JwtVerifier.create({ issuer, audience: s.clientId }, { jwksCache: new SimpleJwksCache({ fetcher }) });
    const seen = { statuses: {}, kids: new Set(), checked: 0 };
    const live = [];
    let running = true;
    const load = async () => {
        while (running) {
            const { IdToken } = live.length && Math.random() < 0.95 ? { IdToken: live[Math.floor(Math.random() * live.length)] } : await tokens(s);
            if (!live.includes(IdToken)) live.push(IdToken);
            const status = await mine(IdToken);
            seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
            seen.kids.add(kidOf(IdToken));
            await verifier.verify(IdToken);
            seen.checked += 1;
        }
    };
    const workers = [load(), load(), load()];
    const grown = async (n) => eventually('more requests', () => seen.checked > n);
    for (let round = 0; round < 3; round++) {
        await grown(seen.checked + 20);
        assert.equal((await keys(s, 'rotate')).status, 200);
        const known = new Set((await published(s)).map((one) => one.kid));
        await grown(seen.checked + 20);
        await advance(server, 301);
        const now = await tokens(s);
        assert.ok(known.has(kidOf(now.IdToken)) && known.has(kidOf(now.AccessToken)), 'listed before it was used');
        live.splice(0, live.length - 1, now.IdToken);
        await grown(seen.checked + 20);
    }
    running = false;
    await Promise.all(workers);
    assert.deepEqual(Object.keys(seen.statuses), ['200'], JSON.stringify(seen.statuses));
    assert.equal(seen.kids.size, 4);
    assert.ok(fetched >= 1 && fetched <= 12, `${fetched} fetches of the JWKS`);
});

test('a key that others know is retired: its tokens are refused at once, everywhere; sign-ins go on', async (t) => {
    const s = await setUp(t);
    const { server } = s;
    await addUser(s, 'ada');
    const mine = await protectedApi(s);
    const old = await tokens(s);
    assert.equal(await mine(old.IdToken), 200);
    await s.api.getUser({ AccessToken: old.AccessToken });

    assert.equal((await keys(s, 'retire', { kid: kidOf(old.IdToken) })).status, 200);
    assert.equal(await mine(old.IdToken), 401);
    await s.api.getUser({ AccessToken: old.AccessToken });
    const fresh = await tokens(s);
    assert.notEqual(kidOf(fresh.IdToken), kidOf(old.IdToken));
    assert.equal(await mine(fresh.IdToken), 200);
    assert.ok(!(await published(s)).some((one) => one.kid === kidOf(old.IdToken)));

    await keys(s, 'rotate');
    const next = (await keys(s)).keys.find((one) => one.use === 'access' && one.state === 'next').kid;
    await keys(s, 'retire', { kid: kidOf(old.AccessToken) });
    await refused(s.api.getUser({ AccessToken: old.AccessToken }), 'NotAuthorizedException', 'Invalid Access Token');
    const { AuthenticationResult: renewed } = await s.api.initiateAuth({ ClientId: s.clientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: old.RefreshToken } });
    assert.equal(kidOf(renewed.AccessToken), next, 'the next one steps in');
    await server.restart();
    await s.api.getUser({ AccessToken: renewed.AccessToken });
    await refused(s.api.getUser({ AccessToken: old.AccessToken }), 'NotAuthorizedException', 'Invalid Access Token');

    for (const [body, type] of [[{ kid: 'none' }, 'ResourceNotFoundException'], [{}, 'InvalidParameterException'], [{ kid: 5 }, 'InvalidParameterException'], [[], 'InvalidParameterException']])
        assert.equal((await keys(s, 'retire', body)).__type, type, JSON.stringify(body));
    const other = await addPool(server, { pool: { PoolName: 'other' } });
    assert.equal((await keys(other, 'retire', { kid: kidOf(renewed.AccessToken) })).__type, 'ResourceNotFoundException', 'not by another pool');
});

test('with keyRotationDays a sign-in has the next pair made in time', async (t) => {
    const s = await setUp(t);
    await addUser(s, 'ada');
    await setOptions(s, { keyRotationDays: 30 });
    const first = await tokens(s);
    assert.equal((await keys(s)).keys.length, 2);
    await advance(s.server, 30 * 86400 - 7000);
    assert.equal(kidOf((await tokens(s)).IdToken), kidOf(first.IdToken));
    await eventually('the next pair', async () => (await keys(s)).keys.length === 4);
    await advance(s.server, 7201);
    assert.notEqual(kidOf((await tokens(s)).IdToken), kidOf(first.IdToken));
    assert.deepEqual(states(await keys(s)), ['access current', 'access retired', 'id current', 'id retired']);
});

test('gatehouse pool keys; who may', async (t) => {
    const server = await start(t, { mode: 'serve' });
    server.credentials = rootKey(server);
    const s = await addPool(server);
    const env = { AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: server.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey };
    const cli = (...args) => run(binary(), ['pool', 'keys', ...args], { env });
    const shown = await cli('shop');
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(shown.stdout.match(/ current /g).length, 2);
    assert.equal((await cli(s.poolId, 'rotate')).stdout.match(/ next /g).length, 2);
    const kid = (await published(s))[0].kid;
    const retired = await cli(s.poolId, 'retire', kid);
    assert.equal(retired.code, 0, retired.stderr);
    assert.ok(!retired.stdout.includes(kid));
    assert.equal((await cli('shop', 'rotat')).code, 1);
    assert.equal((await cli('us-east-1_nobody000')).code, 1);
    for (const [verb, body] of [['', undefined], ['/rotate', '{}'], ['/retire', JSON.stringify({ kid })]]) {
        const answer = await server.fetch(`/_gatehouse/user-pools/${s.poolId}/keys${verb}`, body ? { method: 'POST', body } : {});
        assert.ok(answer.status >= 400 && answer.status < 404, `${verb} ${answer.status}`);
    }
});
