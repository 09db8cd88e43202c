// HTTPS on custom domains: certificates by name, reloaded while requests run, policies, bad handshakes.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import test from 'node:test';

import { api, control, fn, httpProxy, lambdaProxy } from './support/apis.mjs';
import { recordingBackend } from './support/backends.mjs';
import { account, eventually, region, request, scratch, start } from './support/harness.mjs';
import { Authority, handshake, httpsRequest, putCertificate } from './support/tls.mjs';

const arn = (name) => `arn:aws:acm:${region}:${account}:certificate/${name}`;
const regional = (domainName, name, more = {}) => ({ domainName, regionalCertificateArn: arn(name), endpointConfiguration: { types: ['REGIONAL'] }, ...more });
const replace = (...pairs) => ({ patchOperations: pairs.map(([path, value]) => ({ op: 'replace', path, value })) });

async function served(t, { names = [], ...options } = {}) {
    const folder = scratch(t, 'domains');
    const authority = new Authority(folder, 'Servers');
    const certificates = path.join(folder, 'data', 'certificates');
    const truststores = path.join(folder, 'data', 'truststores');
    for (const [name, ...hosts] of names) putCertificate(certificates, name, authority.issue(name, { names: hosts, usage: 'serverAuth' }));
    const server = await start(t, { data: path.join(folder, 'data'), tls: true, ...options });
    return { server, authority, certificates, truststores, folder, apis: control(server), port: server.tlsPort, ca: authority.pem };
}
const said = (answer) => answer.certificate?.subject?.CN;

test('certificates, versions, proxies', async (t) => {
    const { server, apis, port, ca, authority, certificates } = await served(t, { names: [['shop', 'api.shop.test'], ['wild', '*.wild.test'], ['new', 'new.shop.test']] });
    const backend = await recordingBackend(t);
    const one = await api(server, {
        'GET /hello': { answers: { 200: { responseTemplates: { 'application/json': '{"domain":"$context.domainName"}' } } } },
        'ANY /back/{all+}': { integration: httpProxy(`${backend.url}/{all}`, { requestParameters: { 'integration.request.path.all': 'method.request.path.all' } }), method: { requestParameters: { 'method.request.path.all': true } } },
    });
    const map = async (domainName) => apis.createBasePathMapping({ domainName, restApiId: one.id, stage: 'dev' });
    await apis.createDomainName(regional('api.shop.test', 'shop'));
    await apis.createDomainName(regional('*.wild.test', 'wild'));
    await apis.createDomainName(regional('made.shop.test', 'no-file-of-that-name'));
    for (const name of ['api.shop.test', '*.wild.test', 'made.shop.test']) await map(name);

    await t.test('each name its certificate, checked by the client', async () => {
        const answer = await httpsRequest(port, 'api.shop.test', '/hello', { ca });
        assert.deepEqual([answer.status, answer.json(), said(answer), answer.protocol], [200, { domain: 'api.shop.test' }, 'shop', 'TLSv1.3']);
        const wild = await httpsRequest(port, 'a.wild.test', '/hello', { ca });
        assert.deepEqual([wild.json(), said(wild)], [{ domain: 'a.wild.test' }, 'wild']);
        assert.equal(said(await httpsRequest(port, 'API.Shop.Test', '/hello', { sni: 'api.shop.test', ca })), 'shop');
    });
    await t.test('dev mode makes a certificate where there is no file; unknown names get the default one', async () => {
        const made = await handshake(port, 'made.shop.test');
        assert.equal(made.certificate.subjectaltname, 'DNS:made.shop.test, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
        const unknown = await handshake(port, 'stranger.test');
        assert.match(unknown.certificate.subjectaltname, /^DNS:gatehouse\.localhost/);
        assert.equal((await httpsRequest(port, 'localhost', '/_gatehouse/health', { sni: '' })).status, 200);
        // The same one after a change elsewhere: who trusts it once, need not again.
        await apis.createDomainName(regional('more.shop.test', 'none-either'));
        assert.equal((await handshake(port, 'made.shop.test')).certificate.fingerprint256, made.certificate.fingerprint256);
    });
    await t.test('a file that appears takes over', async () => {
        await apis.createDomainName(regional('new.shop.test', 'later'));
        putCertificate(certificates, 'later', authority.issue('later', { names: ['new.shop.test'], usage: 'serverAuth' }));
        await eventually('the new certificate', async () => (await handshake(port, 'new.shop.test')).certificate.subject.CN === 'later');
    });
    await t.test('HTTP/1.1 only', async () => {
        assert.equal((await handshake(port, 'api.shop.test', { ca })).alpn, 'http/1.1');
        assert.equal((await handshake(port, 'api.shop.test', { ca, ALPNProtocols: ['h2', 'http/1.1'] })).alpn, 'http/1.1');
        assert.equal((await handshake(port, 'api.shop.test', { ca, ALPNProtocols: [] })).alpn, false);
        assert.match((await handshake(port, 'api.shop.test', { ca, ALPNProtocols: ['h2'] })).error.message, /no application protocol/i);
    });
    await t.test('the security policy is the least that is spoken', async () => {
        assert.equal((await handshake(port, 'api.shop.test', { ca, maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
        assert.ok((await handshake(port, 'api.shop.test', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' })).error);
        assert.ok((await handshake(port, 'api.shop.test', { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA' })).error);
        await apis.updateDomainName({ domainName: 'api.shop.test', ...replace(['/securityPolicy', 'SecurityPolicy_TLS13_1_3_2025_09'], ['/endpointAccessMode', 'BASIC']) });
        assert.ok((await handshake(port, 'api.shop.test', { ca, maxVersion: 'TLSv1.2' })).error);
        assert.equal((await handshake(port, 'api.shop.test', { ca })).protocol, 'TLSv1.3');
        assert.equal((await handshake(port, 'a.wild.test', { ca, maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2'); // the neighbour's is its own
        await apis.updateDomainName({ domainName: 'api.shop.test', ...replace(['/securityPolicy', 'SecurityPolicy_TLS13_1_2_2021_06']) });
        assert.ok((await handshake(port, 'api.shop.test', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' })).error);
    });
    await t.test('STRICT: handshake and Host must name the same', async () => {
        assert.equal((await httpsRequest(port, 'api.shop.test', '/hello', { sni: 'a.wild.test', ca })).status, 200);
        await apis.updateDomainName({ domainName: 'api.shop.test', ...replace(['/endpointAccessMode', 'STRICT']) });
        assert.equal((await httpsRequest(port, 'api.shop.test', '/hello', { ca })).status, 200);
        assert.equal((await httpsRequest(port, 'api.shop.test', '/hello', { sni: 'a.wild.test', ca })).status, 403);
        assert.equal((await request(`${server.url}/hello`, { headers: { host: 'api.shop.test' } })).status, 403);
    });
    await t.test('backends and functions learn that it was HTTPS', async () => {
        await httpsRequest(port, 'a.wild.test', '/back/x', { ca });
        const seen = backend.requests.at(-1).headers;
        assert.deepEqual([seen['x-forwarded-proto'], seen['x-forwarded-port']], ['https', '443']);
        const echo = await fn(server, 'echo', 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });');
        await one.add('GET /fn', { integration: lambdaProxy(echo) });
        await one.deploy();
        const event = (await httpsRequest(port, 'a.wild.test', '/fn', { ca, headers: { host: `a.wild.test:${port}` } })).json();
        assert.deepEqual([event.headers['X-Forwarded-Proto'], event.headers['X-Forwarded-Port']], ['https', String(port)]);
        assert.equal(event.requestContext.identity.clientCert, undefined);
    });
    await t.test('large bodies both ways, many on one connection', async () => {
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const body = crypto.randomBytes(1_500_000).toString('hex');
        for (let i = 0; i < 3; i++) {
            const answer = await httpsRequest(port, 'a.wild.test', '/back/up', { ca, method: 'POST', body, agent });
            assert.equal(answer.status, 200, answer.text);
            assert.equal(backend.requests.at(-1).body, body);
            assert.equal(answer.json().body, body);
        }
        agent.destroy();
    });
    await t.test('what is pipelined in one record, and in many', async () => {
        const two = 'GET /hello HTTP/1.1\r\nHost: a.wild.test\r\n\r\n'.repeat(2);
        for (const pieces of [[two], [...two]]) {
            const answer = await new Promise((resolve, reject) => {
                let text = '';
                const socket = tls.connect({ host: '127.0.0.1', port, servername: 'a.wild.test', ca }, () => pieces.forEach((p) => socket.write(p)));
                socket.on('data', (d) => (text += d) && text.split('"a.wild.test"').length === 3 && socket.end());
                socket.on('error', reject);
                socket.on('close', () => resolve(text));
            });
            assert.equal(answer.split('HTTP/1.1 200').length, 3);
        }
    });
    await t.test('after a restart the same; a certificate that is broken then is missing, and said to be', async () => {
        fs.writeFileSync(path.join(certificates, 'shop', 'cert.pem'), 'nothing');
        await server.restart('SIGKILL');
        assert.equal(said(await httpsRequest(port, 'a.wild.test', '/hello', { ca })), 'wild');
        assert.match((await handshake(port, 'api.shop.test')).certificate.subjectaltname, /^DNS:gatehouse\.localhost/);
        assert.match(server.log(), /certificate cannot be used[^\n]*"domain":"api\.shop\.test"[^\n]*no certificate in PEM form/);
        putCertificate(certificates, 'shop', authority.issue('shop', { names: ['api.shop.test'], usage: 'serverAuth' }));
        process.kill(server.pid, 'SIGHUP');
        await eventually('the certificate', async () => (await handshake(port, 'api.shop.test', { ca })).certificate?.subject.CN === 'shop');
    });
});

test('certificates are reloaded, and nobody notices', async (t) => {
    const { server, apis, port, ca, authority, certificates } = await served(t, { names: [['shop', 'api.shop.test'], ['other', 'other.shop.test']] });
    const one = await api(server, { 'GET /hello': {} });
    const slow = await fn(server, 'slow', 'export const handler = async () => { await new Promise((r) => setTimeout(r, 1500)); return { statusCode: 200, body: "late" }; };');
    await one.add('GET /slow', { integration: lambdaProxy(slow) });
    await one.deploy();
    for (const [domainName, name] of [['api.shop.test', 'shop'], ['other.shop.test', 'other']]) {
        await apis.createDomainName(regional(domainName, name));
        await apis.createBasePathMapping({ domainName, restApiId: one.id, stage: 'dev' });
    }
    const hup = () => process.kill(server.pid, 'SIGHUP');
    const serial = async (name = 'api.shop.test') => (await handshake(port, name, { ca })).certificate.serialNumber;
    const logged = (text) => server.log().split('\n').filter((line) => line.includes(text)).length;

    await t.test('open connections and running requests go on', async () => {
        const before = await serial();
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const kept = () => httpsRequest(port, 'api.shop.test', '/hello', { ca, agent });
        assert.equal((await kept()).status, 200);
        const running = httpsRequest(port, 'api.shop.test', '/slow', { ca });
        const renewed = authority.issue('shop', { names: ['api.shop.test'], usage: 'serverAuth' });
        putCertificate(certificates, 'shop', renewed);
        hup();
        const after = await eventually('the new certificate', async () => (await serial()) !== before && serial());
        assert.notEqual(after, before);
        const again = await kept();
        assert.deepEqual([again.status, again.certificate.serialNumber], [200, before]); // its own connection still
        assert.deepEqual([(await running).status, (await running).text], [200, 'late']);
        agent.destroy();
    });
    await t.test('broken files leave the old certificate, others are renewed', async () => {
        const shop = await serial();
        const bad = {
            'no PEM': () => fs.writeFileSync(path.join(certificates, 'shop', 'cert.pem'), 'nothing'),
            'the key of another': () => fs.writeFileSync(path.join(certificates, 'shop', 'cert.pem'), authority.issue('shop', { names: ['api.shop.test'], usage: 'serverAuth' }).cert),
            'gone': () => fs.rmSync(path.join(certificates, 'shop', 'key.pem')),
        };
        let told = logged('certificate cannot be used');
        for (const [why, make] of Object.entries(bad)) {
            make();
            const fresh = authority.issue('other', { names: ['other.shop.test'], usage: 'serverAuth' });
            putCertificate(certificates, 'other', fresh);
            hup();
            await eventually(`${why}: told`, () => logged('certificate cannot be used') > told);
            await eventually(`${why}: the neighbour is renewed`, async () => (await serial('other.shop.test')) === new crypto.X509Certificate(fresh.cert).serialNumber);
            assert.equal(await serial(), shop, why);
            told = logged('certificate cannot be used');
        }
        assert.match(server.log(), /"domain":"api\.shop\.test"/);
    });
    await t.test('repaired, it is taken again, without a signal too', async () => {
        const before = await serial();
        putCertificate(certificates, 'shop', authority.issue('shop', { names: ['api.shop.test'], usage: 'serverAuth' }));
        await eventually('the repaired certificate', async () => (await serial()) !== before);
    });
    await t.test('under load no request fails', async () => {
        const results = { good: 0, bad: [] };
        let going = true;
        const worker = async () => {
            while (going)
                await httpsRequest(port, 'api.shop.test', '/hello', { ca }).then(
                    (answer) => (answer.status === 200 ? results.good++ : results.bad.push(answer.status)), (error) => results.bad.push(error.message));
        };
        const workers = [worker(), worker(), worker()];
        for (let i = 0; i < 10; i++) {
            const from = logged('certificates and truststores reloaded');
            hup();
            await eventually('a reload', () => logged('certificates and truststores reloaded') > from);
        }
        await eventually('some requests', () => results.good > 50);
        going = false;
        await Promise.all(workers);
        assert.deepEqual(results.bad, []);
    });
});

test('SIGHUP reads the configuration again, too', async (t) => {
    const folder = scratch(t, 'reload');
    const config = path.join(folder, 'gatehouse.conf');
    fs.writeFileSync(config, 'log-level = warn\nregion = eu-west-1\n');
    const server = await start(t, { data: path.join(folder, 'data'), args: ['--config', config] });
    const hup = () => process.kill(server.pid, 'SIGHUP');
    assert.doesNotMatch(server.log(), /"level":"info"/);
    fs.writeFileSync(config, 'log-level = info\nregion = eu-central-1\nworkers = 3\n');
    hup();
    await eventually('both said', () => /certificates and truststores reloaded/.test(server.log()));
    assert.match(server.log(), /in effect after a restart","options":"region, workers"/);
    assert.equal((await (await server.fetch('/_gatehouse/health')).json()).region, 'eu-west-1');
    fs.writeFileSync(config, 'log-level = loud\n');
    hup();
    await eventually('refused', () => /stays as it was","why":"[^"]*line 1: log-level must be debug, info, warn or error/.test(server.log()));
    assert.equal((await server.fetch('/_gatehouse/health')).status, 200);
});

test('serve mode: files as they must be', async (t) => {
    const folder = scratch(t, 'served');
    const authority = new Authority(folder, 'Servers');
    const certificates = path.join(folder, 'elsewhere');
    fs.mkdirSync(certificates);
    const issue = (name) => authority.issue(name, { names: [`${name}.shop.test`], usage: 'serverAuth' });
    putCertificate(certificates, 'good', issue('good'));
    putCertificate(certificates, 'loose', issue('loose'), 0o640);
    fs.mkdirSync(path.join(certificates, 'certbot'));
    const pair = issue('certbot');
    fs.writeFileSync(path.join(certificates, 'certbot', 'fullchain.pem'), pair.chain);
    fs.writeFileSync(path.join(certificates, 'certbot', 'privkey.pem'), pair.key, { mode: 0o600 });
    fs.mkdirSync(path.join(folder, 'data'), { mode: 0o700 });
    const server = await start(t, { mode: 'serve', data: path.join(folder, 'data'), tls: true, args: ['--certificates', certificates, '--base-url', 'http://localhost'] });
    const [, accessKeyId, secretAccessKey] = /aws_access_key_id = (\S+)\s+aws_secret_access_key = (\S+)/.exec(fs.readFileSync(path.join(folder, 'data', 'root-credentials'), 'utf8'));
    const apis = control(server, { credentials: { accessKeyId, secretAccessKey } });
    const refuses = (name, message) => assert.rejects(apis.createDomainName(regional(`${name}.shop.test`, name)), (error) => (assert.match(error.message, message), error.name === 'BadRequestException'));
    await apis.createDomainName(regional('good.shop.test', 'good'));
    await apis.createDomainName(regional('certbot.shop.test', 'certbot'));
    putCertificate(certificates, 'foreign', issue('elsewhere'));
    await refuses('foreign', /not for this domain name/);
    await refuses('loose', /loose\/key\.pem is open to others \(mode 640\): chmod 600 it/);
    await refuses('missing', /missing\/cert\.pem cannot be read: No such file/);
    assert.equal((await handshake(server.tlsPort, 'certbot.shop.test', { ca: authority.pem })).certificate.subject.CN, 'certbot');
    assert.match((await handshake(server.tlsPort, 'stranger.test')).error.message, /unrecognized name/i); // no default certificate
    putCertificate(certificates, 'default', issue('default'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the default certificate', async () => (await handshake(server.tlsPort, 'stranger.test')).certificate?.subject.CN === 'default');
});

test('handshakes that are none', async (t) => {
    const { server, apis, port, ca } = await served(t, { names: [['shop', 'api.shop.test']] });
    await apis.createDomainName(regional('api.shop.test', 'shop'));
    // The first flight of a real client, to be bent.
    const hello = await new Promise((resolve) => {
        const sink = net.createServer((socket) => socket.once('data', (bytes) => { resolve(bytes); socket.destroy(); sink.close(); }));
        sink.listen(0, '127.0.0.1', () => handshake(sink.address().port, 'api.shop.test'));
    });
    const name = hello.indexOf('api.shop.test');
    const bent = (at, ...bytes) => { const copy = Buffer.from(hello); bytes.forEach((b, i) => (copy[at + i] = b)); return copy; };
    const rows = {
        'HTTP in clear': Buffer.from('GET / HTTP/1.1\r\nHost: api.shop.test\r\n\r\n'),
        'nothing at all': Buffer.alloc(0),
        'random bytes': crypto.randomBytes(4096),
        'zeroes': Buffer.alloc(70000),
        'half a hello': hello.subarray(0, hello.length >> 1),
        'a record header only': hello.subarray(0, 5),
        'one byte': hello.subarray(0, 1),
        'a record that promises 65535 bytes': Buffer.concat([Buffer.from([22, 3, 1, 255, 255]), hello.subarray(5)]),
        'a hello that promises 16 MiB': bent(6, 255, 255, 255),
        'SSL 2': Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, ...crypto.randomBytes(40)]),
        'SSL 3': bent(1, 3, 0),
        'an alert first': Buffer.from([21, 3, 3, 0, 2, 2, 40]),
        'application data first': Buffer.from([23, 3, 3, 0, 16, ...crypto.randomBytes(16)]),
        'a NUL in the name': bent(name + 3, 0),
        'a blank in the name': bent(name + 3, 32),
        'a name length beyond its list': bent(name - 2, 0x7f, 0xff),
        'an empty name': bent(name - 2, 0, 0),
        'a name of another type': bent(name - 3, 7),
        'records without content': Buffer.from(Array.from({ length: 100 }, () => [22, 3, 1, 0, 0]).flat()),
        'a flood of records': Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from([22, 3, 1, 0, 1, 1]))),
        'two hellos': Buffer.concat([hello, hello]),
    };
    const send = (bytes) => new Promise((resolve) => {
        let got = Buffer.alloc(0);
        const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
        socket.on('data', (d) => (got = Buffer.concat([got, d])));
        socket.on('error', () => {});
        socket.on('close', () => resolve(got));
    });
    for (const [why, bytes] of Object.entries(rows)) {
        const answer = await send(bytes);
        assert.ok(!answer.includes('HTTP/1.1'), `${why}: ${answer}`);
        if (!['nothing at all', 'half a hello', 'a record header only', 'one byte', 'an alert first'].includes(why)) {
            // an alert, or, of "two hellos", an answer to the first
            assert.ok(answer.length === 0 || [21, 22].includes(answer[0]), `${why}: ${answer.subarray(0, 8).toString('hex')}`);
        }
    }
    // Cut off anywhere: the client goes away in mid-handshake.
    for (let cut = 1; cut < hello.length; cut += 37) await send(hello.subarray(0, cut));
    const good = await handshake(port, 'api.shop.test', { ca });
    assert.equal(good.certificate.subject.CN, 'shop');
    const metrics = await (await server.fetch('/_gatehouse/metrics')).text();
    assert.ok(Number(/gatehouse_connections (\d+)/.exec(metrics)[1]) < 20, metrics.split('\n')[1]);
});
