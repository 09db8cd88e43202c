// REST APIs with a JWT authorizer: a Node issuer beside it, aws-jwt-verify's verdict beside ours.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import { JwtVerifier } from 'aws-jwt-verify';

import { api, control } from './support/apis.mjs';
import { authority } from './support/certificates.mjs';
import { eventually, region, request, rootKey, start } from './support/harness.mjs';
import { Issuer, b64, issuer, jwk, keyPair, sign, token } from './support/issuer.mjs';
import { signed } from './support/sign.mjs';

const test_key = { accessKeyId: 'test', secretAccessKey: 'test' };
const every = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
// The SDK at hand does not know jwtConfiguration yet: the same call, by its wire format.
async function call(server, method, path, body) {
    const answer = await signed(server.url + path, server.credentials ?? test_key, { service: 'apigateway', method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    return { status: answer.status, error: answer.headers.get('x-amzn-errortype'), body: await answer.json() };
}
const create = (server, id, more) => call(server, 'POST', `/restapis/${id}/authorizers`, { name: `a${crypto.randomUUID()}`, type: 'JWT', identitySource: 'method.request.header.Authorization', ...more });
const configuration = (...issuers) => ({ issuers: issuers.map((i) => (i.url ? { issuer: i.url, audiences: ['shop'] } : i)), defaultAlgorithms: every });

// An API whose methods ask this authorizer: /any, and /scoped with scopes.
async function protect(server, jwtConfiguration, more = {}) {
    const one = await api(server, {});
    const made = await create(server, one.id, { jwtConfiguration, ...more });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const method = { authorizationType: 'JWT', authorizerId: made.body.id };
    const answers = { 200: { responseTemplates: { 'application/json': '{"sub":"$context.authorizer.claims.sub","iss":"$context.authorizer.claims.iss","tier":"$context.authorizer.claims.tier"}' } } };
    await one.add('GET /any', { method, answers });
    await one.add('GET /scoped', { method: { ...method, authorizationScopes: ['orders/read', 'orders:all'] }, answers });
    await one.deploy();
    const get = (path, value, headers = {}) => request(one.url + path, { headers: value === undefined ? headers : { Authorization: value, ...headers } });
    return { ...one, authorizer: made.body, get };
}
async function refused(answer, why, message = 'Unauthorized') {
    assert.equal(answer.status, 401, `${why}: ${answer.text}`);
    assert.deepEqual(answer.json(), { message }, why);
    assert.equal(answer.headers['x-amzn-errortype'], 'UnauthorizedException', why);
}
async function why(server, answer) {
    const record = (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).json();
    return record.steps.find((s) => s.step === 'authorize').notes.map((n) => `${n.what}: ${n.detail}`).join('; ');
}

test('every algorithm, several issuers, claims for templates', async (t) => {
    const server = await start(t);
    const one = await issuer(t, ...every), two = await issuer(t, 'ES256');
    const shop = await protect(server, configuration(one, two));
    await t.test('GetAuthorizer says where the keys are', async () => {
        assert.deepEqual(shop.authorizer.jwtConfiguration.issuers.map((i) => i.jwksUri), [`${one.url}/jwks`, `${two.url}/jwks`]);
        const read = await call(server, 'GET', `/restapis/${shop.id}/authorizers/${shop.authorizer.id}`);
        assert.deepEqual(read.body, shop.authorizer);
        assert.deepEqual([one.fetches, two.fetches].map((f) => [f.discovery, f.jwks]), [[1, 0], [1, 0]]);
    });
    for (const kid of every)
        await t.test(kid, async () => {
            const text = one.token({}, { kid });
            const verifier = JwtVerifier.create({ issuer: one.url, audience: 'shop', jwksUri: `${one.url}/jwks` });
            verifier.cacheJwks({ keys: one.keys });
            const theirs = await verifier.verify(text).catch((error) => error);
            if (!(theirs instanceof Error)) assert.equal(theirs.sub, 'ada');
            const answer = await shop.get('/any', text);
            assert.deepEqual([answer.status, answer.json().sub], [200, 'ada'], answer.text);
            assert.equal((await shop.get('/any', `Bearer ${text}`)).status, 200);
            assert.match(await why(server, await shop.get('/any', `bearer ${text}`)), /token is good \(cached\)/);
        });
    await t.test('the other issuer, with one key set fetched each', async () => {
        assert.deepEqual((await shop.get('/any', two.token())).json().iss, two.url);
        assert.deepEqual([one.fetches.jwks, two.fetches.jwks], [1, 1]);
    });
    await t.test('one issuer\'s key does not sign for the other', async () => {
        const crossed = token({ alg: 'ES256', kid: 'ES256' }, two.claims(), one.pairs.ES256.privateKey);
        await refused(await shop.get('/any', crossed), 'crossed');
        await refused(await shop.get('/any', one.token({ iss: 'https://evil.example' })), 'an issuer of nobody');
    });
    await t.test('scopes: one is enough, in scope or scp; none is 403', async () => {
        const ok = [{ scope: 'a orders/read' }, { scope: 'orders:all' }, { scp: 'x orders:all' }, { scp: ['x', 'orders/read'] }, { scope: 'x', scp: ['orders/read'] }];
        const no = [{}, { scope: '' }, { scope: 'orders/rea' }, { scope: 'orders/read2' }, { scope: 'Orders/Read' }, { scope: 'orders/read,x' }, { scp: [['orders/read']] }, { scope: { 'orders/read': 1 } }, { scopes: 'orders/read' }];
        for (const claims of ok) assert.equal((await shop.get('/scoped', one.token(claims))).status, 200, JSON.stringify(claims));
        for (const claims of no) {
            const answer = await shop.get('/scoped', one.token(claims));
            assert.deepEqual([answer.status, answer.headers['x-amzn-errortype'], answer.json()], [403, 'AccessDeniedException', { Message: 'User is not authorized to access this resource' }], JSON.stringify(claims));
            assert.equal((await shop.get('/any', one.token(claims))).status, 200);
        }
    });
    await t.test('another header, and only once', async () => {
        const own = await protect(server, configuration(one), { identitySource: 'method.request.header.X-Token' });
        assert.equal((await own.get('/any', undefined, { 'x-token': one.token() })).status, 200);
        await refused(await own.get('/any', one.token()), 'the wrong header');
        await refused(await own.get('/any', undefined, { 'x-token': [one.token(), one.token()] }), 'twice');
    });
});

test('audiences and additional claims', async (t) => {
    const server = await start(t);
    const one = await issuer(t, 'ES256');
    const shop = await protect(server, { issuers: [{
        issuer: one.url, audiences: ['shop', 'till'],
        additionalClaims: [
            { claimName: 'tier', format: 'SINGLE_STRING', required: true, expectedValues: ['gold', 'silver'] },
            { claimName: 'tenant', format: 'SINGLE_STRING', expectedValues: ['t1'] },
            { claimName: 'department', format: 'SINGLE_STRING', required: true },
        ],
    }], defaultAlgorithms: ['ES256'] });
    const good = { tier: 'gold', department: 'x' };
    const rows = [
        ['as it should be', {}, 200], ['the other audience', { aud: 'till' }, 200], ['among others', { aud: ['x', 'shop'] }, 200],
        ['client_id without aud', { aud: undefined, client_id: 'shop' }, 200], ['client_id beside another aud', { aud: 'x', client_id: 'shop' }, 401],
        ['a42 no audience', { aud: undefined }, 401], ['a42 wrong', { aud: 'shopping' }, 401], ['a42 a list without ours', { aud: ['x', 'y'] }, 401],
        ['a list with a number', { aud: ['shop', 1] }, 401], ['an object', { aud: { shop: 1 } }, 401], ['an empty list', { aud: [], client_id: 'shop' }, 401], ['null beside client_id', { aud: null, client_id: 'shop' }, 401],
        ['the other tier', { tier: 'silver' }, 200], ['tier missing', { tier: undefined }, 401], ['another tier', { tier: 'bronze' }, 401], ['in another case', { tier: 'Gold' }, 401],
        ['a list of one', { tier: ['gold'] }, 401], ['a number', { department: 1 }, 401], ['null', { department: null }, 401], ['required, any value', { department: '' }, 200],
        ['optional and right', { tenant: 't1' }, 200], ['optional and wrong', { tenant: 't2' }, 401],
    ];
    for (const [name, claims, want] of rows) {
        const answer = await shop.get('/any', one.token({ ...good, ...claims }));
        assert.equal(answer.status, want, `${name}: ${answer.text}`);
    }
    assert.equal((await shop.get('/any', one.token(good))).json().tier, 'gold');
});

test('attacks: every row is 401, no backend, no fetch, and a good token still passes', async (t) => {
    const server = await start(t);
    const one = await issuer(t, 'RS256', 'ES256');
    const evil = await issuer(t, 'ES256');
    const stranger = keyPair('ES256');
    one.keys.push(jwk(keyPair('RS384'), 'anyrsa'));                           // without alg: for RS256 to RS512
    one.keys.push(jwk(stranger, 'twice', {}), jwk(keyPair('ES256'), 'twice', {}));   // two of one name and kind
    one.pairs.mixed = { alg: 'ES256', ...keyPair('ES256') };
    one.keys.push(jwk(keyPair('RS256'), 'mixed', {}), jwk(one.pairs.mixed, 'mixed', {})); // two of one name, of two kinds
    const weak = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
    one.keys.push(jwk(weak, 'weak'), jwk(stranger, 'enc', { use: 'enc' }), jwk(stranger, 'ops', { use: undefined, key_ops: ['sign'] }), { kty: 'oct', k: 'c2VjcmV0', kid: 'oct', alg: 'HS256' });
    const shop = await protect(server, configuration(one));
    assert.equal((await shop.get('/any', one.token())).status, 200);
    const fetched = one.fetches.jwks;
    const rs = one.pairs.RS256.privateKey, es = one.pairs.ES256.privateKey;
    const head = { alg: 'RS256', kid: 'RS256', typ: 'JWT' };
    const now = Math.floor(Date.now() / 1000);
    const pem = one.pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' });
    const hmac = (secret, bits = 256) => { const text = `${b64({ alg: `HS${bits}`, kid: 'RS256' })}.${b64(one.claims())}`; return `${text}.${crypto.createHmac(`sha${bits}`, secret).update(text).digest('base64url')}`; };
    const unsignedAs = (alg) => `${b64({ alg, kid: 'RS256' })}.${b64(one.claims())}.`;
    const withHead = (more, key = rs, alg = 'RS256') => token({ ...head, ...more }, one.claims(), key, alg);
    const withClaims = (more) => token(head, one.claims(more), rs);
    const rawHead = (text) => { const it = `${b64(text)}.${b64(one.claims())}`; return `${it}.${sign('RS256', rs, it).toString('base64url')}`; };
    const rawClaims = (text) => { const it = `${b64(head)}.${b64(text)}`; return `${it}.${sign('RS256', rs, it).toString('base64url')}`; };
    const good = one.token(), [h, p, s] = good.split('.');
    const ec = (mutate) => { const it = `${b64({ alg: 'ES256', kid: 'ES256' })}.${b64(one.claims())}`; return `${it}.${mutate(sign('ES256', es, it), it).toString('base64url')}`; };
    const n = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const c = one.claims();
    const duplicate = (name, a, b) => [rawClaims(JSON.stringify(c).replace('{', `{"${name}":${JSON.stringify(a)},`)), rawClaims(`${JSON.stringify(c).slice(0, -1)},"${name}":${JSON.stringify(b)}}`)];
    const rows = {
        'a01 none': unsignedAs('none'), 'a02 None': unsignedAs('None'), 'a02 NONE': unsignedAs('NONE'), 'a02 nOnE': unsignedAs('nOnE'), 'a03 none with a signature': withHead({ alg: 'none' }),
        'a04 alg missing': withHead({ alg: undefined }), 'a05 empty': withHead({ alg: '' }), 'a05 null': withHead({ alg: null }), 'a05 list': withHead({ alg: ['RS256'] }), 'a05 number': withHead({ alg: 1 }),
        'a06 PEM as secret': hmac(pem), 'a07 PEM trimmed': hmac(pem.trim()), 'a07 DER': hmac(one.pairs.RS256.publicKey.export({ type: 'spki', format: 'der' })), 'a07 JWK': hmac(JSON.stringify(one.keys[0])),
        'a07 modulus': hmac(Buffer.from(one.keys[0].n, 'base64url')), 'a08 empty 256': hmac('', 256), 'a08 empty 384': hmac('', 384), 'a08 empty 512': hmac('', 512), 'an oct key in the set': hmac('secret'),
        'a09 RS384 by a key for RS256': withHead({ alg: 'RS384' }, rs, 'RS384'), 'a09 RS512': withHead({ alg: 'RS512' }, rs, 'RS512'), 'a09 PS256': withHead({ alg: 'PS256' }, rs, 'PS256'), 'PS256 without an alg in the set': withHead({ alg: 'PS256', kid: 'anyrsa' }, rs, 'PS256'),
        'a10 ES256 at an RSA key': withHead({ alg: 'ES256' }, es, 'ES256'), 'a10 RS256 at an EC key': withHead({ kid: 'ES256' }), 'a12 kid missing': withHead({ kid: undefined }), 'kid empty': withHead({ kid: '' }),
        'a16 NUL in the kid': withHead({ kid: 'RS256\u0000x' }), 'a18 number': withHead({ kid: 1 }), 'a18 list': withHead({ kid: ['RS256'] }), 'a18 object': withHead({ kid: { RS256: 1 } }),
        'a19 two keys of one name and kind': token({ alg: 'ES256', kid: 'twice' }, one.claims(), stranger.privateKey), 'a19 the wrong of two kinds': token({ alg: 'ES256', kid: 'mixed' }, one.claims(), stranger.privateKey),
        'a20 jku': withHead({ alg: 'ES256', kid: 'ES256', jku: `${evil.url}/jwks` }, evil.pairs.ES256.privateKey, 'ES256'), 'a20 jku, rightly signed': withHead({ jku: `${evil.url}/jwks` }), 'a22 x5u': withHead({ x5u: `${evil.url}/cert` }), 'a23 jwk': withHead({ jwk: jwk(stranger, 'x') }), 'a24 x5c': withHead({ x5c: ['MIIB'] }),
        'a26 crit exp': withHead({ crit: ['exp'] }), 'a27 crit unknown': withHead({ crit: ['unknown'] }), 'a27 with it': withHead({ crit: ['unknown'], unknown: 1 }), 'a28 empty crit': withHead({ crit: [] }), 'a28 text': withHead({ crit: 'b64' }), 'a29 b64': withHead({ b64: false, crit: ['b64'] }), 'a30 b64 alone': withHead({ b64: false }),
        'a31 alg twice': rawHead('{"alg":"none","alg":"RS256","kid":"RS256"}'), 'a31 the other way': rawHead('{"alg":"RS256","alg":"none","kid":"RS256"}'),
        'a33 expired': withClaims({ exp: now - 1 }), 'a35 no exp': withClaims({ exp: undefined }), 'a36 text': withClaims({ exp: String(now + 600) }), 'a36 huge': rawClaims(JSON.stringify(c).replace(/"exp":\d+/, '"exp":1e99')), 'a36 negative': withClaims({ exp: -1 }), 'a36 2^63': rawClaims(JSON.stringify(c).replace(/"exp":\d+/, '"exp":9223372036854775808')), 'a36 NaN': rawClaims(JSON.stringify(c).replace(/"exp":\d+/, '"exp":NaN')),
        'a37 not yet': withClaims({ nbf: now + 60 }), 'a39 from the future': withClaims({ iat: now + 60 }), 'nbf text': withClaims({ nbf: 'now' }),
        'a41 slash': withClaims({ iss: `${one.url}/` }), 'a41 https': withClaims({ iss: one.url.replace('http:', 'https:') }), 'a41 case': withClaims({ iss: one.url.replace('http', 'HTTP') }), 'a41 suffix': withClaims({ iss: `${one.url}.evil` }), 'a41 list': withClaims({ iss: [one.url] }), 'a41 none': withClaims({ iss: undefined }),
        'a50 last byte': `${h}.${p}.${Buffer.from(s, 'base64url').subarray(0, 255).toString('base64url')}`, 'a50 first byte': `${h}.${p}.${Buffer.from(s, 'base64url').subarray(1).toString('base64url')}`, 'a50 empty': `${h}.${p}.`, 'a50 doubled': `${h}.${p}.${s}${s}`, 'a50 zero byte': `${h}.${p}.${Buffer.concat([Buffer.from(s, 'base64url'), Buffer.alloc(1)]).toString('base64url')}`,
        'a52 r=s=0': ec(() => Buffer.alloc(64)), 'a53 r=0': ec((b) => Buffer.concat([Buffer.alloc(32), b.subarray(32)])), 'a53 s=0': ec((b) => Buffer.concat([b.subarray(0, 32), Buffer.alloc(32)])), 'a53 r=n': ec((b) => Buffer.concat([n, b.subarray(32)])), 'a53 s=n': ec((b) => Buffer.concat([b.subarray(0, 32), n])),
        'a53 all ones': ec(() => Buffer.alloc(64, 255)), 'a53 swapped': ec((b) => Buffer.concat([b.subarray(32), b.subarray(0, 32)])), 'a54 DER': ec((_, text) => crypto.sign('sha256', Buffer.from(text), es)),
        'a60 deep': rawHead(`{"alg":"RS256","kid":"RS256","x":${'['.repeat(500)}${']'.repeat(500)}}`), 'a60 deep claims': rawClaims(`{"x":${'['.repeat(2000)}${']'.repeat(2000)}}`), 'a61 NUL in iss': withClaims({ iss: `${one.url}\u0000` }), 'a62 bad UTF-8': rawClaims(Buffer.concat([Buffer.from('{"iss":"'), Buffer.from([0xff]), Buffer.from('"}')])), 'a62 lone surrogate': rawClaims(JSON.stringify(c).replace('"ada"', '"\\ud800"')),
        'a63 padding': `${h}.${p}.${s}=`, 'a63 plus and slash': `${h}.${p}.${Buffer.from(s, 'base64url').toString('base64')}`, 'a63 blank': `${h}.${p} .${s}`, 'a64 two': `${h}.${p}`, 'a64 four': `${good}.x`, 'a64 five': `${good}.x.y`, 'a64 dots': '..', 'a64 trailing dot': `${good}.`, 'a64 none': 'x',
        'a65 JSON': JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] }), 'a66 dir': withHead({ alg: 'dir', enc: 'A256GCM' }), 'a66 RSA-OAEP': withHead({ alg: 'RSA-OAEP', enc: 'A256GCM' }), 'a66 zip': withHead({ zip: 'DEF' }), 'a67 nested': withHead({ cty: 'JWT' }),
        'a68 logout+jwt': withHead({ typ: 'logout+jwt' }), 'a68 dpop+jwt': withHead({ typ: 'dpop+jwt' }), 'a69 two blanks': `Bearer  ${good}`, 'a69 comma': `Bearer, ${good}`, 'a69 Basic': `Basic ${good}`, 'a69 Bearer alone': 'Bearer ', 'a69 tab': `Bearer\t${good}`,
        'a72 1024 bits': token({ alg: 'RS256', kid: 'weak' }, one.claims(), weak.privateKey), 'a72 use enc': token({ alg: 'ES256', kid: 'enc' }, one.claims(), stranger.privateKey), 'a72 key_ops': token({ alg: 'ES256', kid: 'ops' }, one.claims(), stranger.privateKey),
        'a stranger\'s signature': token({ alg: 'ES256', kid: 'ES256' }, one.claims(), stranger.privateKey), 'claims no object': rawClaims('[]'), 'claims no JSON': rawClaims('x'),
    };
    for (const [name, a, b] of [['sub', 'x', 'y'], ['exp', now - 5, now + 900], ['aud', 'x', 'shop'], ['iss', 'x', one.url]]) [rows[`a32 ${name} first`], rows[`a32 ${name} last`]] = duplicate(name, a, b);
    const verifier = JwtVerifier.create({ issuer: one.url, audience: 'shop', jwksUri: `${one.url}/jwks` });
    verifier.cacheJwks({ keys: one.keys.filter((k) => ['RS256', 'ES256'].includes(k.kid)) });
    const stricter = [];
    for (const [name, text] of Object.entries(rows)) {
        for (let round = 0; round < 2; round++) await refused(await shop.get('/any', text), name, name === 'a33 expired' ? 'The incoming token has expired' : undefined);
        const theirs = await verifier.verify(text).then(() => true, () => false);
        if (theirs) stricter.push(name);
    }
    await t.test('where we refuse and aws-jwt-verify does not', () => {
        assert.deepEqual(stricter.map((name) => name.split(' ')[0]).filter((name, i, all) => all.indexOf(name) === i).sort().join(' '), 'a20 a22 a23 a24 a26 a27 a28 a29 a30 a31 a32 a35 a36 a39 a60 a62 a63 a66 a67 a68');
        assert.ok(!stricter.includes('a20 jku'));
    });
    await t.test('a 64 KB kid, a 16 KB token, more headers than AWS takes', async () => {
        for (const text of [withHead({ kid: 'x'.repeat(7000) }), withClaims({ x: 'y'.repeat(9000) })]) {
            const answer = await shop.get('/any', text);
            assert.ok([401, 431, 200].includes(answer.status), answer.text);
        }
    });
    await t.test('what is unusual and right', async () => {
        for (const text of [withHead({ typ: 'at+jwt' }), withHead({ typ: undefined }), withHead({ x5t: 'AAAA' }), withClaims({ nbf: now }), token({ alg: 'RS512', kid: 'anyrsa' }, one.claims(), rs), token({ alg: 'ES256', kid: 'mixed' }, one.claims(), one.pairs.mixed.privateKey), withClaims({ x: 'y'.repeat(4000) })])
            assert.equal((await shop.get('/any', text)).status, 200, text.slice(0, 80));
    });
    await t.test('a51 every bit of a signature', async () => {
        const bytes = Buffer.from(s, 'base64url'), agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        const answers = await Promise.all(Array.from({ length: bytes.length * 8 }, (_, bit) => {
            const flipped = Buffer.from(bytes);
            flipped[bit >> 3] ^= 1 << (bit & 7);
            return request(`${shop.url}/any`, { agent, headers: { Authorization: `${h}.${p}.${flipped.toString('base64url')}` } });
        }));
        agent.destroy();
        assert.deepEqual([...new Set(answers.map((a) => a.status))], [401]);
    });
    await t.test('nobody was asked for keys, least of all the attacker', async () => {
        assert.deepEqual(evil.fetches, { discovery: 0, jwks: 0 });
        assert.ok(one.fetches.jwks <= fetched + 1); // made-up key names: once a minute
        assert.equal((await shop.get('/any', one.token())).status, 200);
    });
    await t.test('an algorithm that the authorizer does not list', async () => {
        const only = await protect(server, { ...configuration(one), defaultAlgorithms: ['ES256'] });
        await refused(await only.get('/any', one.token()), 'RS256'); // verified, cached by the other authorizer
        assert.equal((await only.get('/any', one.token({}, { kid: 'ES256' }))).status, 200);
    });
});

test('keys come and go', async (t) => {
    const server = await start(t, { args: ['--workers', '2'] });
    const one = await issuer(t, 'ES256');
    const shop = await protect(server, configuration(one));
    const agent = () => new http.Agent();
    await t.test('single flight: 60 first tokens, one fetch', async () => {
        const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => request(`${shop.url}/any`, { agent: agent(), headers: { Authorization: one.token({ jti: String(i) }) } })));
        assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
        assert.equal(one.fetches.jwks, 1);
    });
    await t.test('a new key is found at once; 1,000 made-up ones cost no further fetch', async () => {
        one.add('ES256', 'next');
        assert.equal((await shop.get('/any', one.token({}, { kid: 'next' }))).status, 200);
        assert.equal(one.fetches.jwks, 2);
        const pool = new http.Agent({ keepAlive: true, maxSockets: 16 });
        const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => request(`${shop.url}/any`, { agent: pool, headers: { Authorization: token({ alg: 'ES256', kid: `made-up-${i}` }, one.claims(), one.pairs.next.privateKey) } })));
        pool.destroy();
        assert.deepEqual([...new Set(answers.map((a) => a.status))], [401]);
        assert.equal(one.fetches.jwks, 2);
    });
    await t.test('max-age and ETag are kept to; a key that is gone refuses, verified before or not', async () => {
        const two = await issuer(t, 'ES256');
        two.add('ES256', 'stays');
        two.headers = { 'cache-control': 'public, max-age=1', etag: '"v1"' };
        two.answer = (res, path, req) => path === '/jwks' && req.headers['if-none-match'] === two.headers.etag && (res.writeHead(304, two.headers).end(), true);
        const gate = await protect(server, configuration(two));
        const old = two.token(), kept = two.token({}, { kid: 'stays' });
        for (const text of [old, kept]) assert.equal((await gate.get('/any', text)).status, 200);
        await eventually('the set being asked for again', async () => (await gate.get('/any', old)).status === 200 && two.lastHeaders['if-none-match'] === '"v1"');
        two.keys.shift();
        two.headers.etag = '"v2"';
        await eventually('the gone key being refused', async () => (await gate.get('/any', old)).status === 401);
        assert.equal((await gate.get('/any', kept)).status, 200);
    });
    await t.test('an issuer that stays away: its keys serve on', async () => {
        const two = await issuer(t, 'ES256');
        two.headers = { 'cache-control': 'max-age=1' };
        const gate = await protect(server, configuration(two));
        assert.equal((await gate.get('/any', two.token())).status, 200);
        two.answer = (res) => (res.destroy(), true);
        const seen = two.fetches.jwks;
        await eventually('another look at the issuer', async () => (await gate.get('/any', two.token())).status === 200 && two.fetches.jwks > seen);
        assert.equal((await gate.get('/any', two.token())).status, 200);
    });
    const bad = {
        'a73 too large': (res) => res.end(JSON.stringify({ keys: one.keys, filler: 'x'.repeat(150001) })),
        'a73 too slow': () => {},
        'a73 trickling': (res) => { res.write('{'); const timer = setInterval(() => res.write(' '), 100); res.on('close', () => clearInterval(timer)); },
        'a73 redirect': (res) => res.writeHead(302, { location: `${one.url}/jwks` }).end(),
        'a73 a web page': (res) => res.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify({ keys: one.keys })),
        'a73 duplicate members': (res) => res.end(`{"keys":[],"keys":${JSON.stringify(one.keys)}}`),
        'no set': (res) => res.end('[]'), 'status 500': (res) => res.writeHead(500).end('{"keys":[]}'), 'hanging up': (res) => res.destroy(), 'deep': (res) => res.end('['.repeat(100000)),
    };
    await t.test('an issuer without keys: 500 within two seconds, and everybody else goes on', async () => {
        await Promise.all(Object.entries(bad).map(async ([name, answer]) => {
            const two = await issuer(t, 'ES256');
            const gate = await protect(server, configuration(two));
            two.answer = (res, path) => path === '/jwks' && (answer(res), true);
            const begun = Date.now(), got = await gate.get('/any', two.token());
            assert.deepEqual([got.status, got.json()], [500, { message: null }], name);
            assert.ok(Date.now() - begun < 2500, name);
            assert.equal((await shop.get('/any', one.token())).status, 200, name);
            const seen = two.fetches.jwks;
            for (let i = 0; i < 5; i++) assert.equal((await gate.get('/any', two.token())).status, 500, name);
            assert.ok(two.fetches.jwks <= seen + 1, `${name}: not asked again and again`);
        }));
    });
    await t.test('a client that goes away while keys are fetched', async () => {
        const two = await issuer(t, 'ES256');
        const gate = await protect(server, configuration(two));
        let held;
        two.answer = (res, path) => path === '/jwks' && ((held = res), true);
        const req = http.get(`${gate.url}/any`, { headers: { Authorization: two.token() } });
        req.on('error', () => {});
        await eventually('the fetch', () => held);
        req.destroy();
        held.end(JSON.stringify({ keys: two.keys }));
        two.answer = null;
        assert.equal((await gate.get('/any', two.token())).status, 200);
    });
});

test('our own pools: no fetch, access tokens by client_id, sign-out counts at once', async (t) => {
    const server = await start(t);
    const pools = server.client(idp.CognitoIdentityProviderClient);
    const send = (name, input) => pools.send(new idp[`${name}Command`](input));
    const { UserPool } = await send('CreateUserPool', { PoolName: 'p' });
    const { UserPoolClient: client } = await send('CreateUserPoolClient', { UserPoolId: UserPool.Id, ClientName: 'c', ExplicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await send('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'ada', MessageAction: 'SUPPRESS' });
    await send('AdminSetUserPassword', { UserPoolId: UserPool.Id, Username: 'ada', Password: 'Passw0rd!', Permanent: true });
    const { AuthenticationResult: tokens } = await send('AdminInitiateAuth', { UserPoolId: UserPool.Id, ClientId: client.ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: 'Passw0rd!' } });
    const iss = JSON.parse(Buffer.from(tokens.IdToken.split('.')[1], 'base64url')).iss;
    const own = await protect(server, { issuers: [{ issuer: iss, audiences: [client.ClientId] }], defaultAlgorithms: ['RS256'] });
    assert.equal(own.authorizer.jwtConfiguration.issuers[0].jwksUri, `${iss}/.well-known/jwks.json`);
    for (const text of [tokens.IdToken, tokens.AccessToken, tokens.AccessToken]) assert.equal((await own.get('/any', text)).status, 200);
    assert.equal((await own.get('/scoped', tokens.AccessToken)).status, 403);
    await refused(await own.get('/any', `${tokens.IdToken.slice(0, -4)}AAAA`), 'another signature');
    await refused(await own.get('/any', tokens.RefreshToken), 'a47 a refresh token');
    const others = await protect(server, { issuers: [{ issuer: iss, audiences: ['another-client'] }], defaultAlgorithms: ['RS256'] });
    for (const text of [tokens.IdToken, tokens.AccessToken]) await refused(await others.get('/any', text), 'a44 another client');
    await send('AdminUserGlobalSignOut', { UserPoolId: UserPool.Id, Username: 'ada' });
    await refused(await own.get('/any', tokens.IdToken), 'signed out');
    const gone = await create(server, own.id, { jwtConfiguration: { issuers: [{ issuer: iss.replace(/.$/, '_'), audiences: ['x'] }], defaultAlgorithms: ['RS256'] } });
    assert.deepEqual([gone.status, /no such user pool/.test(gone.body.message)], [400, true], JSON.stringify(gone.body));
});

test('e17: in production an issuer is https, believed by its certificate, and out in the open', async (t) => {
    const ours = authority(t), strangers = authority(t);
    const { cert, key } = ours.issue('localhost');
    const serve = async (...args) => {
        const server = await start(t, { mode: 'serve', args: ['--backend-ca', ours.ca.file, ...args] });
        server.credentials = rootKey(server);
        return server;
    };
    const open = await serve('--allow-backend', '127.0.0.1'), shut = await serve();
    const make = async (server) => (await control(server, { credentials: server.credentials }).createRestApi({ name: 'x' })).id;
    const one = (await new Issuer().listen(t, { cert, key })).add('ES256');
    const fake = (await new Issuer().listen(t, strangers.issue('localhost'))).add('ES256');
    const caught = /^Caught exception when connecting to .* Please try again later\. Error: /;
    await t.test('loopback, private networks, metadata services, by any spelling: no connection', async () => {
        const id = await make(shut);
        for (const host of [`localhost:${one.port}`, `127.0.0.1:${one.port}`, `[::1]:${one.port}`, `[::ffff:127.0.0.1]:${one.port}`, `2130706433:${one.port}`, `0x7f.1:${one.port}`, `127.1:${one.port}`, `0.0.0.0:${one.port}`, '169.254.169.254', '10.0.0.7', '192.168.0.1', '[fd00:ec2::254]', '100.64.0.1']) {
            const answer = await create(shut, id, { jwtConfiguration: { issuers: [{ issuer: `https://${host}`, audiences: ['a'] }], defaultAlgorithms: ['ES256'] } });
            assert.equal(answer.status, 400, host);
            assert.match(answer.body.message, caught, host);
        }
        for (const url of [one.url.replace('https', 'http'), shut.url]) assert.match((await create(shut, id, { jwtConfiguration: { issuers: [{ issuer: url, audiences: ['a'] }], defaultAlgorithms: ['ES256'] } })).body.message, /absolute https URL/);
        assert.equal(one.connections, 0);
    });
    await t.test('what the operator allows, with a certificate of an authority that he names', async () => {
        const gate = await protect(open, configuration(one));
        assert.equal((await gate.get('/any', one.token())).status, 200);
        const id = await make(open);
        assert.match((await create(open, id, { jwtConfiguration: configuration(fake) })).body.message, caught);
        assert.equal(fake.fetches.discovery, 0);
    });
    await t.test('a discovery document cannot point inside', async () => {
        const two = (await new Issuer().listen(t, { cert, key })).add('ES256');
        two.discovery = { jwks_uri: `https://[::1]:${two.port}/jwks` };
        const gate = await protect(open, configuration(two));
        const answer = await gate.get('/any', two.token());
        assert.deepEqual([answer.status, answer.json()], [500, { message: null }]);
        assert.deepEqual(two.fetches, { discovery: 1, jwks: 0 });
    });
});

test('the control plane', async (t) => {
    const server = await start(t);
    const one = await issuer(t, 'ES256');
    const { id } = await control(server).createRestApi({ name: 'x' });
    const good = configuration(one);
    const bad = async (why, more, pattern) => {
        const answer = await create(server, id, more);
        assert.equal(answer.status, 400, `${why}: ${JSON.stringify(answer.body)}`);
        if (pattern) assert.match(answer.body.message, pattern, why);
    };
    const issuers = (...list) => ({ jwtConfiguration: { issuers: list, defaultAlgorithms: ['ES256'] } });
    const claim = (more) => issuers({ issuer: one.url, audiences: ['shop'], additionalClaims: [{ claimName: 'x', format: 'SINGLE_STRING', ...more }] });
    await t.test('what is no configuration is refused', async () => {
        await bad('none', {}, /jwtConfiguration must not be null/);
        await bad('no issuers', issuers());
        await bad('no audiences', issuers({ issuer: one.url, audiences: [] }), /audiences/);
        await bad('an empty audience', issuers({ issuer: one.url, audiences: [''] }), /audiences/);
        await bad('an audience twice', issuers({ issuer: one.url, audiences: ['a', 'a'] }), /more than once/);
        await bad('an issuer twice', issuers({ issuer: one.url, audiences: ['a'] }, { issuer: one.url, audiences: ['b'] }), /more than once/);
        for (const url of ['http://example.com', 'ftp://example.com', 'example.com', 'https://', `${one.url}?x=1`, `${one.url}#x`, 'https://a@example.com', 'file:///etc/passwd', 'javascript:alert(1)', `https://${'x'.repeat(2000)}.example`])
            await bad(url, issuers({ issuer: url, audiences: ['a'] }), /absolute https URL/);
        for (const name of ['iss', 'aud', 'exp', 'nbf', 'iat', 'scope', 'scp']) await bad(name, claim({ claimName: name }), /cannot be an additional claim/);
        await bad('another format', claim({ format: 'STRING_ARRAY' }));
        await bad('a value twice', claim({ expectedValues: ['a', 'a'] }), /more than once/);
        await bad('no algorithms', { jwtConfiguration: { ...good, defaultAlgorithms: [] } }, /defaultAlgorithms/);
        await bad('an algorithm twice', { jwtConfiguration: { ...good, defaultAlgorithms: ['ES256', 'ES256'] } }, /more than once/);
        await bad('HS256', { jwtConfiguration: { ...good, defaultAlgorithms: ['HS256'] } });
        await bad('no identity source', { jwtConfiguration: good, identitySource: undefined }, /IdentitySource cannot be empty/);
        for (const source of ['method.request.querystring.x', 'context.x', 'method.request.header.A,method.request.header.B', 'method.request.header.'])
            await bad(source, { jwtConfiguration: good, identitySource: source }, /Invalid request identity source expression/);
        const others = { providerARNs: [`arn:aws:cognito-idp:${region}:000000000000:userpool/x`], authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/x/invocations', authorizerCredentials: 'arn:aws:iam::000000000000:role/x', authorizerResultTtlInSeconds: 300, identityValidationExpression: '.*' };
        for (const [name, value] of Object.entries(others)) await bad(name, { jwtConfiguration: good, [name]: value }, new RegExp(`${name} is not supported for authorizer type JWT`));
        await bad('a configuration on another type', { type: 'TOKEN', authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations', jwtConfiguration: good }, /only supported for authorizer type JWT/);
        assert.equal((await control(server).getAuthorizers({ restApiId: id })).items.length, 0);
    });
    await t.test('an issuer that cannot be asked, or answers for another', async () => {
        const caught = /^Caught exception when connecting to .*\/\.well-known\/openid-configuration for issuer .* Please try again later\. Error: /;
        await bad('nobody there', issuers({ issuer: 'http://127.0.0.1:1', audiences: ['a'] }), caught);
        one.discovery = { issuer: 'https://other.example' };
        await bad('another issuer', { jwtConfiguration: good }, caught);
        for (const jwks_uri of [undefined, 'http://example.com/jwks', 'file:///etc/passwd', 1, 'https://a:b@example.com/']) {
            one.discovery = { jwks_uri };
            await bad(String(jwks_uri), { jwtConfiguration: good }, caught);
        }
        one.discovery = {};
        one.answer = (res) => (res.writeHead(302, { location: 'http://169.254.169.254/' }).end(), true);
        await bad('a redirect', { jwtConfiguration: good }, caught);
        one.answer = null;
    });
    const made = (await create(server, id, { jwtConfiguration: good, name: 'jwt' })).body;
    const patch = (...patchOperations) => call(server, 'PATCH', `/restapis/${id}/authorizers/${made.id}`, { patchOperations });
    const replaced = (value) => patch({ op: 'replace', path: '/jwtConfiguration', value: typeof value === 'string' ? value : JSON.stringify(value) });
    await t.test('replaced as a whole, the issuers asked again', async () => {
        const seen = one.fetches.discovery;
        const answer = await replaced({ issuers: [{ issuer: one.url, audiences: ['till'] }], defaultAlgorithms: ['ES512'] });
        assert.deepEqual(answer.body.jwtConfiguration, { issuers: [{ issuer: one.url, audiences: ['till'], jwksUri: `${one.url}/jwks` }], defaultAlgorithms: ['ES512'] });
        assert.equal(one.fetches.discovery, seen + 1);
        for (const value of ['', '{', '[]', '{}', JSON.stringify({ ...good, x: 1 }), JSON.stringify(answer.body.jwtConfiguration)]) assert.equal((await replaced(value)).status, 400, value);
        for (const op of ['add', 'remove']) assert.equal((await patch({ op, path: '/jwtConfiguration', value: JSON.stringify(good) })).status, 400);
    });
    await t.test('the other paths', async () => {
        assert.equal((await patch({ op: 'replace', path: '/name', value: 'renamed' })).body.name, 'renamed');
        assert.equal((await patch({ op: 'replace', path: '/identitySource', value: 'method.request.header.X' })).body.identitySource, 'method.request.header.X');
        assert.equal((await patch({ op: 'replace', path: '/authorizerUri', value: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations' })).status, 400);
        assert.equal((await patch({ op: 'replace', path: '/type', value: 'TOKEN' })).status, 400);
    });
    await t.test('methods: JWT with a JWT authorizer, scopes allowed', async () => {
        const gateway = control(server);
        const { items: [root] } = await gateway.getResources({ restApiId: id });
        const at = { restApiId: id, resourceId: root.id, httpMethod: 'GET' };
        const fails = { name: 'BadRequestException', message: 'Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer.' };
        await assert.rejects(gateway.putMethod({ ...at, authorizationType: 'JWT' }), fails);
        await assert.rejects(gateway.putMethod({ ...at, authorizationType: 'CUSTOM', authorizerId: made.id }), /requires a valid authorizer/);
        await gateway.putMethod({ ...at, authorizationType: 'JWT', authorizerId: made.id, authorizationScopes: ['a'] });
        await assert.rejects(gateway.deleteAuthorizer({ restApiId: id, authorizerId: made.id }), { name: 'ConflictException', message: "Cannot delete authorizer 'renamed', is referenced in method: GET//" });
    });
});
