// Mutual TLS on custom domains: who gets in, who does not, and what APIs learn of the client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import test from 'node:test';

import { api, control, fn, invocation, lambdaProxy } from './support/apis.mjs';
import { account, eventually, region, request, scratch, start } from './support/harness.mjs';
import { Authority, handshake, httpsRequest, putCertificate, selfSigned } from './support/tls.mjs';

const arn = (name) => `arn:aws:acm:${region}:${account}:certificate/${name}`;
const patch = (...operations) => ({ patchOperations: operations.map(([op, path, value]) => ({ op, path, value })) });
const truststore = (truststoreUri, more = {}) => ({ mutualTlsAuthentication: { truststoreUri, ...more } });
const forbidden = (answer, why) => {
    assert.deepEqual([answer.status, answer.headers['x-amzn-errortype']], [403, 'ForbiddenException'], `${why}: ${answer.text}`);
    assert.deepEqual(answer.json(), { message: 'Forbidden' }, why);
};

async function world(t) {
    const folder = scratch(t, 'mtls');
    const servers = new Authority(folder, 'Servers');
    const clients = new Authority(folder, 'Clients');
    const certificates = path.join(folder, 'data', 'certificates');
    const store = path.join(folder, 'data', 'truststores', 'bucket');
    fs.mkdirSync(store, { recursive: true });
    const trust = (text, file = 'ca.pem') => fs.writeFileSync(path.join(store, file), text);
    trust(clients.pem);
    for (const [name, host] of [['mutual', 'mutual.shop.test'], ['plain', 'plain.shop.test'], ['wild', '*.wild.test'], ['second', 'second.shop.test'], ['turn', 'turn.shop.test']])
        putCertificate(certificates, name, servers.issue(name, { names: [host], usage: 'serverAuth' }));
    const server = await start(t, { data: path.join(folder, 'data'), tls: true });
    const apis = control(server);
    const one = await api(server, { 'GET /who': { answers: { 200: { responseTemplates: { 'application/json':
        '{"subject":"$util.escapeJavaScript($context.identity.clientCert.subjectDN)","issuer":"$context.identity.clientCert.issuerDN","serial":"$context.identity.clientCert.serialNumber","from":"$context.identity.clientCert.validity.notBefore","to":"$context.identity.clientCert.validity.notAfter","pem":"$util.escapeJavaScript($context.identity.clientCert.clientCertPem)"}' } } } } });
    const domain = async (domainName, name, more = {}) => {
        const made = await apis.createDomainName({ domainName, regionalCertificateArn: arn(name), endpointConfiguration: { types: ['REGIONAL'] }, ...more });
        await apis.createBasePathMapping({ domainName, restApiId: one.id, stage: 'dev' });
        return made;
    };
    const get = (client, host = 'mutual.shop.test', more = {}) => httpsRequest(server.tlsPort, host, '/who', { ca: servers.pem, client, ...more });
    const why = async (answer) => {
        const trace = await (await server.fetch(`/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).json();
        return trace.steps.flatMap((s) => s.notes ?? []).find((n) => n.what === 'domain')?.detail;
    };
    const clock = (to) => server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(to) });
    return { folder, servers, clients, trust, server, apis, one, domain, get, why, clock, port: server.tlsPort, ca: servers.pem };
}

test('who gets in', async (t) => {
    const w = await world(t);
    const { clients, folder, get, why } = w;
    const made = await w.domain('mutual.shop.test', 'mutual', truststore('s3://bucket/ca.pem'));
    assert.deepEqual(made.mutualTlsAuthentication, { truststoreUri: 's3://bucket/ca.pem' });
    await w.domain('plain.shop.test', 'plain');
    await w.domain('*.wild.test', 'wild');
    const good = clients.issue('Alice', { subject: '/C=DE/O=Tests, Inc./CN=Alice' });

    await t.test('a certificate that the truststore knows, and what is seen of it', async () => {
        const answer = await get(good);
        assert.equal(answer.status, 200, answer.text);
        const seen = answer.json();
        assert.equal(seen.subject, 'CN=Alice,O=Tests\\, Inc.,C=DE');
        assert.equal(seen.issuer, 'CN=Clients,O=Tests');
        assert.match(seen.serial, /^a1:b2:0[0-9a-f]$/);
        assert.match(seen.from, /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/);
        assert.match(seen.to, /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/);
        assert.equal(seen.pem, good.cert);
    });
    await t.test('events of functions and authorizers have it too', async () => {
        const echo = await fn(w.server, 'echo', 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity.clientCert ?? null) });');
        const judge = await fn(w.server, 'judge', `export const handler = async (event) => ({ principalId: event.requestContext.identity.clientCert.subjectDN.replaceAll(' ', '_'),
            policyDocument: { Version: '2012-10-17', Statement: [{ Effect: event.requestContext.identity.clientCert.serialNumber.startsWith('a1') ? 'Allow' : 'Deny', Action: '*', Resource: '*' }] },
            context: { cn: /CN=([^,]+)/.exec(event.requestContext.identity.clientCert.subjectDN)[1] } });`);
        const { id: authorizerId } = await w.apis.createAuthorizer({ restApiId: w.one.id, name: 'judge', type: 'REQUEST', authorizerUri: invocation(judge), identitySource: 'context.identity.sourceIp', authorizerResultTtlInSeconds: 0 });
        await w.one.add('GET /fn', { integration: lambdaProxy(echo) });
        await w.one.add('GET /judged', { method: { authorizationType: 'CUSTOM', authorizerId }, answers: { 200: { responseTemplates: { 'application/json': '{"cn":"$context.authorizer.cn"}' } } } });
        await w.one.deploy();
        const ask = (target, host = 'mutual.shop.test', client = good) => httpsRequest(w.port, host, target, { ca: w.ca, client });
        const cert = (await ask('/fn')).json();
        assert.deepEqual(Object.keys(cert), ['clientCertPem', 'subjectDN', 'issuerDN', 'serialNumber', 'validity']);
        assert.deepEqual([cert.clientCertPem, Object.keys(cert.validity)], [good.cert, ['notBefore', 'notAfter']]);
        assert.deepEqual((await ask('/judged')).json(), { cn: 'Alice' });
        assert.equal((await ask('/fn', 'plain.shop.test')).json(), null); // not asked for, not told
    });

    // {what is shown: [client, what the trace says]}
    const other = new Authority(folder, 'Others');
    const middle = new Authority(folder, 'Middle', { parent: clients });
    const deep = new Authority(folder, 'Deep', { parent: middle });
    const deeper = new Authority(folder, 'Deeper', { parent: deep });
    const alice = middle.issue('Under the middle');
    const below = deep.issue('Below');
    const tooDeep = deeper.issue('Too deep');
    const stack = (...pems) => pems.join('');
    const impostor = new Authority(folder, 'impostor'); // another key under the trusted authority's name
    const namesake = (() => {
        const twin = new Authority(path.join(folder, 'twin'), 'Clients');
        return twin.issue('Alice');
    })();
    const rows = {
        'self-signed': [selfSigned(folder, 'Alice'), /self-signed certificate/],
        'of another authority': [other.issue('Alice'), /unable to get local issuer|unable to verify/],
        'of an authority with the trusted name and another key': [namesake, /signature failure|unable to get local issuer|unable to verify/],
        'of another authority, which comes along': [(() => { const c = other.issue('Alice'); return { ...c, chain: c.cert + other.pem }; })(), /self-signed certificate in certificate chain/],
        'for servers only': [clients.issue('Server', { usage: 'serverAuth' }), /unsuitable certificate purpose|unsupported certificate purpose/],
        'of an intermediate that is missing': [{ ...alice, chain: alice.cert }, /unable to get local issuer/],
        'issued by a certificate that is no authority': [(() => {
            // good's own key signs another one: it may not.
            const dir = path.join(folder, 'noca');
            fs.mkdirSync(dir, { recursive: true });
            const fake = Object.create(impostor, { file: { value: path.join(dir, 'ca.pem') }, key: { value: path.join(dir, 'ca.key') }, folder: { value: dir } });
            fs.writeFileSync(fake.file, good.cert);
            fs.writeFileSync(fake.key, good.key);
            fake.serial = 0;
            const c = fake.issue('Mallory');
            return { ...c, chain: c.cert + good.cert };
        })(), /invalid CA certificate/],
        'a chain that is too long': [{ ...tooDeep, chain: stack(tooDeep.cert, deeper.pem, deep.pem, middle.pem) }, /chain too long|unable to get/],
        'a key that is too small': [clients.issue('Small', { curve: 'P-224' }), /key too (small|weak)/i],
    };
    for (const [what, [client, reason]] of Object.entries(rows)) {
        await t.test(`refused: ${what}`, async () => {
            const answer = await get(client).catch((error) => ({ error }));
            if (what === 'a key that is too small' && answer.error) return; // OpenSSL refuses the curve in the handshake
            assert.ok(!answer.error, answer.error?.message);
            forbidden(answer, what);
            assert.match(await why(answer), reason, what);
        });
    }
    await t.test('no certificate: the handshake fails', async () => {
        await assert.rejects(get(undefined), /certificate required|alert|ECONNRESET|socket hang up/i);
        const { error, answer } = await handshake(w.port, 'mutual.shop.test', { ca: w.ca, maxVersion: 'TLSv1.2' });
        assert.ok(error || !answer, 'TLS 1.2 too');
    });
    await t.test('chains of up to four, with what is between', async () => {
        assert.equal((await get({ ...alice, chain: stack(alice.cert, middle.pem) })).status, 200);
        assert.equal((await get({ ...below, chain: stack(below.cert, deep.pem, middle.pem) })).status, 200);
        assert.equal((await get({ ...below, chain: stack(below.cert, middle.pem, deep.pem) })).status, 200); // in any order
    });
    await t.test('expired, and not valid yet', async () => {
        await w.clock({ advance_s: 8 * 24 * 3600 });
        const late = await get(good);
        forbidden(late, 'expired');
        assert.match(await why(late), /certificate has expired/);
        await w.clock({ advance_s: -10 * 24 * 3600 });
        const early = await get(good);
        forbidden(early, 'not yet');
        assert.match(await why(early), /certificate is not yet valid/);
        await w.clock({});
        assert.equal((await get(good)).status, 200);
    });
    await t.test('another name in the handshake than in Host: no way round', async () => {
        forbidden(await get(undefined, 'mutual.shop.test', { sni: 'plain.shop.test' }), 'by a plain domain');
        forbidden(await get(good, 'mutual.shop.test', { sni: 'plain.shop.test' }), 'with a good certificate that nobody asked for');
        forbidden(await get(undefined, 'mutual.shop.test', { sni: 'x.wild.test' }), 'by a wild card');
        forbidden(await get(undefined, 'mutual.shop.test', { sni: 'stranger.test', ca: undefined }), 'by the default certificate');
        forbidden(await get(undefined, 'mutual.shop.test', { sni: '', ca: undefined }), 'by no name');
        forbidden(await get(undefined, 'MUTUAL.shop.test.'.slice(0, -1), { sni: 'plain.shop.test' }), 'spelled otherwise');
        forbidden(await request(`${w.server.url}/who`, { headers: { host: 'mutual.shop.test' } }), 'in clear');
        assert.equal((await get(good, 'plain.shop.test', { sni: 'mutual.shop.test' })).status, 200); // the other way is harmless
        forbidden(await request(`${w.server.url}/ping`, { headers: { host: 'mutual.shop.test' } }), 'not even /ping');
    });
    await t.test('sessions are not resumed where certificates count', async () => {
        const plain = await handshake(w.port, 'plain.shop.test', { ca: w.ca });
        assert.ok(plain.session);
        assert.equal((await handshake(w.port, 'plain.shop.test', { ca: w.ca, session: plain.session })).reused, true);
        assert.equal((await handshake(w.port, 'x.wild.test', { ca: w.ca, session: plain.session })).reused, false);
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
            const from = await handshake(w.port, 'plain.shop.test', { ca: w.ca, maxVersion });
            const attack = await handshake(w.port, 'mutual.shop.test', { ca: w.ca, session: from.session, maxVersion });
            assert.ok(attack.error || !attack.answer?.includes(' 200 '), `${maxVersion}: the other domain's session`);
            const own = await handshake(w.port, 'mutual.shop.test', { ca: w.ca, client: good, maxVersion });
            assert.equal(own.session?.length ? (await handshake(w.port, 'mutual.shop.test', { ca: w.ca, client: good, session: own.session, maxVersion })).reused : false, false, maxVersion);
        }
    });
    await t.test('nor is one from before certificates were asked for, on an open connection neither', async () => {
        await w.domain('turn.shop.test', 'turn');
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const sessions = [];
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) sessions.push({ maxVersion, session: (await handshake(w.port, 'turn.shop.test', { ca: w.ca, maxVersion })).session });
        assert.equal((await get(undefined, 'turn.shop.test', { agent })).status, 200);
        await w.apis.updateDomainName({ domainName: 'turn.shop.test', ...patch(['add', '/mutualTlsAuthentication/truststoreUri', 's3://bucket/ca.pem']) });
        forbidden(await get(undefined, 'turn.shop.test', { agent }), 'the connection from before');
        agent.destroy();
        for (const { maxVersion, session } of sessions) {
            const attack = await handshake(w.port, 'turn.shop.test', { ca: w.ca, session, maxVersion });
            assert.ok(attack.error || (!attack.reused && !attack.answer?.includes('HTTP/1.1')), maxVersion);
        }
        assert.equal((await get(good, 'turn.shop.test')).status, 200);
    });
    await t.test('two domains, two truststores', async () => {
        w.trust(other.pem, 'others.pem');
        await w.domain('second.shop.test', 'second', truststore('file:bucket/others.pem'));
        const theirs = other.issue('Bob');
        assert.equal((await get(theirs, 'second.shop.test')).status, 200);
        forbidden(await get(good, 'second.shop.test'), "the first domain's client");
        forbidden(await get(theirs, 'mutual.shop.test', { sni: 'second.shop.test' }), 'fronting between the two');
        forbidden(await get(good, 'second.shop.test', { sni: 'mutual.shop.test' }), 'and back');
    });
    await t.test('the execute-api endpoint stays open until it is switched off', async () => {
        assert.equal((await request(`${w.one.url}/who`)).status, 200);
        await w.apis.updateRestApi({ restApiId: w.one.id, ...patch(['replace', '/disableExecuteApiEndpoint', 'true']) });
        await w.one.deploy();
        forbidden(await request(`${w.one.url}/who`), 'switched off');
        assert.equal((await get(good)).status, 200);
    });
});

test('truststores change, revoke, warn', async (t) => {
    const w = await world(t);
    const { clients, get, why, apis } = w;
    const domainName = 'mutual.shop.test';
    await w.domain(domainName, 'mutual', truststore('s3://bucket/ca.pem'));
    const [alice, bob] = [clients.issue('Alice'), clients.issue('Bob')];
    const hup = async () => {
        const count = () => w.server.log().split('truststores reloaded').length + w.server.log().split('certificate cannot be used').length;
        const before = count();
        process.kill(w.server.pid, 'SIGHUP');
        await eventually('a reload', () => count() > before);
    };

    await t.test('a list beside the truststore revokes, at the next reload', async () => {
        assert.deepEqual([(await get(alice)).status, (await get(bob)).status], [200, 200]);
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const kept = () => get(bob, domainName, { agent });
        assert.equal((await kept()).status, 200);
        clients.revoke(bob);
        w.trust(clients.crl(), 'ca.pem.crl');
        await hup();
        assert.equal((await get(alice)).status, 200);
        const answer = await get(bob);
        forbidden(answer, 'revoked');
        assert.match(await why(answer), /certificate revoked/);
        forbidden(await kept(), 'revoked, on the connection that was open before');
        agent.destroy();
    });
    await t.test('a list that is out of date lets nobody in', async () => {
        await w.clock({ advance_s: 7 * 24 * 3600 - 3600 * 2 }); // the list is valid for 7 days from now, certificates too
        assert.equal((await get(alice)).status, 200);
        w.trust(clients.crl(), 'ca.pem.crl');
        await w.clock({ advance_s: 8 * 24 * 3600 });
        const late = new Authority(w.folder, 'Long').issue('x', { days: 100 });
        assert.ok(late);
        const long = clients.issue('Long', { days: 100 });
        const answer = await get(long);
        forbidden(answer, 'an old list');
        assert.match(await why(answer), /CRL has expired/);
        await w.clock({});
        assert.equal((await get(long)).status, 200);
    });
    await t.test('a list that cannot be read leaves the one before', async () => {
        w.trust('-----BEGIN X509 CRL-----\nnothing\n-----END X509 CRL-----\n', 'ca.pem.crl');
        await hup();
        forbidden(await get(bob), 'still revoked');
        assert.equal((await get(alice)).status, 200);
        fs.rmSync(path.join(w.folder, 'data', 'truststores', 'bucket', 'ca.pem.crl'));
        await hup();
        assert.equal((await get(bob)).status, 200); // no list, nobody is revoked
    });
    await t.test('an intermediate needs a list of its own', async () => {
        const middle = new Authority(w.folder, 'Middle', { parent: clients });
        const one = middle.issue('Below');
        w.trust(clients.pem + middle.pem + clients.crl(), 'chain.pem');
        const changed = await apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', 's3://bucket/chain.pem']) });
        assert.deepEqual(changed.mutualTlsAuthentication.truststoreWarnings, ["Certificate with subject 'CN=Middle,O=Tests' has no revocation list: what it issued is refused"]);
        forbidden(await get(one), 'no list for the middle');
        w.trust(clients.pem + middle.pem + clients.crl() + middle.crl(), 'chain.pem');
        const again = await apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', 's3://bucket/chain.pem']) });
        assert.equal(again.mutualTlsAuthentication.truststoreWarnings, undefined);
        assert.equal((await get(one)).status, 200);
    });
    await t.test('versions, warnings of certificates, and off', async () => {
        const others = new Authority(w.folder, 'Others', { days: 1 });
        w.trust(others.pem, 'ca.pem.v2');
        await apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', 's3://bucket/ca.pem'], ['replace', '/mutualTlsAuthentication/truststoreVersion', 'v2']) });
        forbidden(await get(alice), 'not in version 2');
        assert.equal((await get(others.issue('Carol'))).status, 200);
        await assert.rejects(apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreVersion', 'v3']) }), /ca\.pem\.v3 cannot be read/);
        await w.clock({ advance_s: 2 * 24 * 3600 });
        const warned = await apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreVersion', 'v2']) });
        assert.deepEqual(warned.mutualTlsAuthentication.truststoreWarnings, ["Certificate with subject 'CN=Others,O=Tests' has expired"]);
        await w.clock({});
        const off = await apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', '']) });
        assert.equal(off.mutualTlsAuthentication, undefined);
        assert.equal((await get(undefined)).status, 200);
    });
    await t.test('a truststore that is none is refused', async () => {
        for (const [file, text, message] of [['empty.pem', '', /no certificate in it/], ['text.pem', 'hello', /no certificate in it/],
            ['broken.pem', clients.pem.replace(/\n[A-Za-z0-9+/]{20}/, '\n!!!!'), /cannot be read|no certificate/], ['key.pem', alice.key, /no certificate in it/]]) {
            w.trust(text, file);
            await assert.rejects(apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', `s3://bucket/${file}`]) }), message);
        }
        for (const uri of ['s3://bucket/../../secret', '/etc/passwd', 'file:///etc/passwd', 'https://x/ca.pem', 's3://', 's3://bucket/.hidden'])
            await assert.rejects(apis.updateDomainName({ domainName, ...patch(['replace', '/mutualTlsAuthentication/truststoreUri', uri]) }), /must look like/, uri);
    });
});
