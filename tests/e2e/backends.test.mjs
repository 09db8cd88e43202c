// What an integration may reach, and whom it believes: addresses, redirects, TLS, client certificates.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import test from 'node:test';

import { api, control, httpProxy } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { authority } from './support/certificates.mjs';
import { atEnd, request, rootKey, scratch, start } from './support/harness.mjs';

const internal = { message: 'Internal server error' };
const why = async (server, answer) => (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).text;

async function serving(t, options = {}) {
    const server = await start(t, { mode: 'serve', ...options });
    server.credentials = rootKey(server);
    return server;
}

test('a tenant cannot reach what trusts this machine', async (t) => {
    const hosts = path.join(scratch(t), 'hosts');
    fs.writeFileSync(hosts, '127.0.0.1 localhost localhost.\n127.0.0.1 inside.example\n10.0.0.7 lan.example\n169.254.169.254 metadata.example\n::1 six.example\n');
    const backend = await recordingBackend(t);
    const { port } = new URL(backend.url);
    // Names of our own, without a name server: this process alone sees another /etc/hosts.
    const wrap = ['unshare', '--map-root-user', '--mount', 'sh', '-c', `mount --bind ${hosts} /etc/hosts && exec "$0" "$@"`];
    const server = await serving(t, { wrap });
    const targets = [
        `http://127.0.0.1:${port}/`, `http://localhost:${port}/`, `http://localhost.:${port}/`, `http://[::1]:${port}/`,
        `http://0.0.0.0:${port}/`, `http://[::]:${port}/`, `http://[::ffff:127.0.0.1]:${port}/`, `http://[::127.0.0.1]:${port}/`,
        `http://[64:ff9b::7f00:1]:${port}/`, `http://2130706433:${port}/`, `http://0x7f.1:${port}/`, `http://017700000001:${port}/`,
        `http://127.1:${port}/`, `http://inside.example:${port}/`, `http://six.example:${port}/`,
        'http://169.254.169.254/latest/meta-data/', 'http://[fd00:ec2::254]/', 'http://metadata.example/', 'http://10.0.0.7/', 'http://172.16.0.1/',
        'http://192.168.0.1/', 'http://100.64.0.1/', 'http://lan.example/', `http://127.0.0.1:${server.port}/`, `http://inside.example:${server.port}/`,
    ];
    const one = await api(server, {
        ...Object.fromEntries(targets.map((uri, i) => [`GET /${i}`, { integration: httpProxy(uri) }])),
        'GET /by-variable': { integration: httpProxy(`http://\${stageVariables.host}:${port}/`) },
    }, { variables: { host: '127.0.0.1' } });
    for (const [i, uri] of [...targets, 'a stage variable'].entries())
        await t.test(uri, async () => {
            const answer = await request(`${one.url}/${i < targets.length ? i : 'by-variable'}`);
            assert.deepEqual([answer.status, answer.json()], [500, internal]);
        });
    assert.equal(backend.requests.length, 0);
    assert.match(server.log(), /Execution failed due to configuration error: Invalid endpoint address/);
    for (const uri of ['unix:/run/docker.sock', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/'])
        await t.test(`${uri} is no endpoint`, () => assert.rejects(
            api(server, { 'GET /': { integration: httpProxy(uri) } }), { name: 'BadRequestException', message: 'Invalid HTTP endpoint specified for URI' }));
});

test('what the operator allows is open, but for our own ports; redirects are not followed', async (t) => {
    const backend = await recordingBackend(t, ({ url }) => (url === '/elsewhere' ? { status: 302, headers: { location: 'http://169.254.169.254/latest' } } : {}));
    const server = await serving(t, { args: ['--allow-backend', '127.0.0.0/8,10.9.0.0/16', '--allow-backend', '::1'] });
    const one = await api(server, {
        'GET /open': { integration: httpProxy(`${backend.url}/open`) },
        'GET /elsewhere': { integration: httpProxy(`${backend.url}/elsewhere`) },
        'GET /self': { integration: httpProxy(`${server.url}/_gatehouse/health`) },
    });
    assert.equal((await request(`${one.url}/open`)).json().url, '/open');
    const moved = await request(`${one.url}/elsewhere`);
    assert.deepEqual([moved.status, moved.headers.location], [302, 'http://169.254.169.254/latest']);
    assert.deepEqual((await request(`${one.url}/self`)).json(), internal);
    for (const [args, text] of [[['--allow-backend', '10.0.0.0/33'], /networks such as/], [['--backend-ca', '/nowhere'], /cannot read certificates/]])
        await assert.rejects(start(t, { mode: 'serve', args }), text);
});

test('dev mode: this machine and its network are open, metadata services are not', async (t) => {
    const backend = await recordingBackend(t);
    const server = await start(t);
    const one = await api(server, {
        'GET /here': { integration: httpProxy(backend.url) },
        'GET /metadata': { integration: httpProxy('http://169.254.169.254/latest') },
    });
    assert.equal((await request(`${one.url}/here`)).status, 200);
    const shut = await request(`${one.url}/metadata`);
    assert.deepEqual([shut.status, shut.json()], [500, internal]);
    assert.match(await why(server, shut), /the address may not be reached: metadata service/);
});

function tlsBackend(t, options) {
    const seen = [];
    const server = https.createServer(options, (req, res) => {
        seen.push({ name: req.socket.servername, peer: req.socket.getPeerCertificate(), authorized: req.socket.authorized });
        res.end('{"secure":true}');
    });
    server.on('tlsClientError', () => {});
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
        atEnd(t, () => new Promise((done) => {
            server.closeAllConnections();
            server.close(done);
        }));
        resolve({ port: server.address().port, seen });
    }));
}

test('TLS to backends: names, dates and authorities', async (t) => {
    const ours = authority(t);
    const stranger = ours.root('stranger');
    const good = ours.issue('good');
    const bad = ours.issue('other-name', { alt: 'DNS:other.example' });
    const strange = ours.issue('strange', { by: stranger });
    const strangeName = ours.issue('strange-name', { by: stranger, alt: 'DNS:other.example' });
    const server = await serving(t, { args: ['--allow-backend', '127.0.0.1', '--backend-ca', ours.ca.file] });
    const to = async (options, more) => httpProxy(`https://localhost:${(await tlsBackend(t, options)).port}/`, more);
    const insecure = { tlsConfig: { insecureSkipVerification: true } };
    const plain = await recordingBackend(t);
    const withRoot = { key: strange.key, cert: strange.cert + stranger.cert };
    const rows = {
        good: [await to(good), 200],
        'other name': [await to(bad), 500],
        'unknown authority': [await to(withRoot), 500],
        'unknown authority, insecure': [await to(withRoot, insecure), 200],
        'insecure wants a root': [await to(strange, insecure), 500],
        'insecure looks at the name': [await to({ key: strangeName.key, cert: strangeName.cert + stranger.cert }, insecure), 500],
        'no TLS at all': [httpProxy(plain.url.replace('http:', 'https:')), 500],
    };
    const one = await api(server, Object.fromEntries(Object.values(rows).map(([integration], i) => [`GET /${i}`, { integration }])));
    for (const [i, [name, [, status]]] of Object.entries(rows).entries())
        await t.test(name, async () => {
            const answer = await request(`${one.url}/${i}`);
            assert.equal(answer.status, status, answer.text);
            assert.deepEqual(answer.json(), status === 200 ? { secure: true } : internal);
        });
    assert.match(server.log(), /Execution failed due to configuration error: General SSLEngine problem/);
    await t.test('the name is sent (SNI)', async () => {
        const named = await tlsBackend(t, good);
        await one.add('GET /sni', { integration: httpProxy(`https://localhost:${named.port}/`) });
        await one.deploy();
        await request(`${one.url}/sni`);
        assert.equal(named.seen[0].name, 'localhost');
    });
    await t.test('only for HTTP integrations', () => assert.rejects(
        one.add('GET /mock', { integration: { type: 'MOCK', ...insecure } }), { name: 'BadRequestException' }));
});

test('client certificates: made, shown to backends, kept sealed', async (t) => {
    const ours = authority(t);
    const server = await serving(t, { args: ['--allow-backend', '127.0.0.1', '--backend-ca', ours.ca.file] });
    const gateway = control(server);
    const made = await gateway.generateClientCertificate({ description: 'for the shop', tags: { a: '1' } });
    const other = await gateway.generateClientCertificate({});

    await t.test('what it is: self-signed, RSA-2048, 365 days', () => {
        const certificate = new crypto.X509Certificate(made.pemEncodedCertificate);
        assert.match(made.clientCertificateId, /^[a-z0-9]{6}$/);
        assert.deepEqual([certificate.subject, certificate.issuer], ['CN=ApiGateway', 'CN=ApiGateway']);
        assert.ok(certificate.verify(certificate.publicKey));
        assert.equal(certificate.publicKey.asymmetricKeyDetails.modulusLength, 2048);
        assert.equal(made.expirationDate - made.createdDate, 365 * 86400 * 1000);
        assert.equal(new Date(certificate.validTo).getTime(), made.expirationDate.getTime());
    });
    await t.test('get, list, update, tags; its key is never shown', async () => {
        const { $metadata, ...shown } = await gateway.getClientCertificate({ clientCertificateId: made.clientCertificateId });
        assert.deepEqual(Object.keys(shown).sort(), ['clientCertificateId', 'createdDate', 'description', 'expirationDate', 'pemEncodedCertificate', 'tags']);
        assert.deepEqual((await gateway.getClientCertificates({})).items.map((c) => c.clientCertificateId).sort(), [made.clientCertificateId, other.clientCertificateId].sort());
        const changed = await gateway.updateClientCertificate({ clientCertificateId: made.clientCertificateId, patchOperations: [{ op: 'replace', path: '/description', value: 'new' }] });
        assert.equal(changed.description, 'new');
        const resourceArn = `arn:aws:apigateway:us-east-1::/clientcertificates/${made.clientCertificateId}`;
        await gateway.tagResource({ resourceArn, tags: { b: '2' } });
        assert.deepEqual((await gateway.getTags({ resourceArn })).tags, { a: '1', b: '2' });
        await assert.rejects(gateway.getClientCertificate({ clientCertificateId: 'nosuch' }), { name: 'NotFoundException', message: 'Invalid Client Certificate identifier specified' });
        await assert.rejects(gateway.updateClientCertificate({ clientCertificateId: made.clientCertificateId, patchOperations: [{ op: 'replace', path: '/pemEncodedCertificate', value: 'x' }] }), { name: 'BadRequestException' });
        for (const file of fs.readdirSync(server.data).filter((f) => f.startsWith('gatehouse.db')))
            assert.equal(fs.readFileSync(path.join(server.data, file)).includes('PRIVATE KEY'), false, file);
    });
    const backend = await tlsBackend(t, { ...ours.issue('backend'), requestCert: true, rejectUnauthorized: true, ca: made.pemEncodedCertificate });
    const one = await api(server, { 'GET /': { integration: httpProxy(`https://localhost:${backend.port}/`) }, 'GET /http': { integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: `https://localhost:${backend.port}/` } } });

    await t.test('a backend that requires it gets it, once the stage says so', async () => {
        assert.notEqual((await request(`${one.url}/`)).status, 200);
        await assert.rejects(one.patch(['replace', '/clientCertificateId', 'nosuch']), { name: 'BadRequestException', message: 'Invalid Client Certificate identifier specified' });
        await one.patch(['replace', '/clientCertificateId', made.clientCertificateId]);
        for (const route of ['/', '/http']) {
            const answer = await request(one.url + route);
            assert.deepEqual([answer.status, answer.json()], [200, { secure: true }]);
        }
        assert.deepEqual([backend.seen[0].authorized, backend.seen[0].peer.subject.CN], [true, 'ApiGateway']);
    });
    await t.test('another certificate is refused, none again when it is taken away', async () => {
        await one.patch(['replace', '/clientCertificateId', other.clientCertificateId]);
        assert.notEqual((await request(`${one.url}/`)).status, 200);
        await one.patch(['replace', '/clientCertificateId', made.clientCertificateId]);
        assert.equal((await request(`${one.url}/`)).status, 200);
    });
    await t.test('in use it is not deleted; it lives through a restart', async () => {
        await assert.rejects(gateway.deleteClientCertificate({ clientCertificateId: made.clientCertificateId }), { name: 'ConflictException', message: `Client certificate ${made.clientCertificateId} is used by stage ${one.id}/dev` });
        await gateway.deleteClientCertificate({ clientCertificateId: other.clientCertificateId });
        await server.restart();
        assert.equal((await request(`${one.url}/`)).status, 200);
        const again = control(server);
        await again.updateStage({ restApiId: one.id, stageName: 'dev', patchOperations: [{ op: 'replace', path: '/clientCertificateId', value: '' }] });
        assert.notEqual((await request(`${one.url}/`)).status, 200);
        await again.deleteClientCertificate({ clientCertificateId: made.clientCertificateId });
        assert.deepEqual((await again.getClientCertificates({})).items, []);
    });
});
