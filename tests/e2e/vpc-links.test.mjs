// VPC links: names for private targets, balanced among the healthy ones.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import test from 'node:test';

import { api, control, httpProxy } from './support/apis.mjs';
import { authority } from './support/certificates.mjs';
import { atEnd, eventually, freePort, request, rootKey, start } from './support/harness.mjs';

// A target that tells its name, and its health when asked.
async function target(t, name, { port = 0, tls } = {}) {
    const self = { name, healthy: true, seen: [], looks: 0 };
    const answer = (req, res) => {
        if (req.url === '/health') {
            self.looks++;
            res.writeHead(self.healthy ? 200 : 503);
            return res.end();
        }
        self.seen.push({ url: req.url, host: req.headers.host, name: req.socket.servername });
        res.end(JSON.stringify({ target: name }));
    };
    self.server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    self.server.on('tlsClientError', () => {});
    await new Promise((resolve) => self.server.listen(port, '127.0.0.1', resolve));
    self.port = self.server.address().port;
    self.stop = () => {
        self.server.closeAllConnections();
        return new Promise((done) => self.server.close(done));
    };
    atEnd(t, () => self.server.listening && self.stop());
    return self;
}
const nlb = 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/shop/0123456789abcdef';
const listener = 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2';

async function serving(t, args) {
    const server = await start(t, { mode: 'serve', args });
    server.credentials = rootKey(server);
    return server;
}

test('targets take turns, sick ones are left out, private ones may be reached', async (t) => {
    const targets = [await target(t, 'one'), await target(t, 'two'), await target(t, 'three')];
    const dead = await freePort();
    const server = await serving(t, [
        '--vpc-link', `shop=${targets.map((one) => `http://127.0.0.1:${one.port}/health`).join(',')}`,
        '--vpc-link', `${nlb}=127.0.0.1:${targets[0].port},127.0.0.1:${dead}`,
        '--vpc-link', `${listener}=127.0.0.1:${targets[1].port}`,
    ]);
    const gateway = control(server);
    const shop = await gateway.createVpcLink({ name: 'shop', targetArns: ['arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/x/1'] });
    const byArn = await gateway.createVpcLink({ name: 'by-arn', targetArns: [nlb] });
    const unknown = await gateway.createVpcLink({ name: 'unknown', targetArns: ['arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/y/1'] });
    const through = (connectionId, more) => httpProxy('http://shop.internal:8080/base/{proxy}', { connectionType: 'VPC_LINK', connectionId, requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy' }, ...more });
    const route = (integration) => ({ method: { requestParameters: { 'method.request.path.proxy': true } }, integration });
    const one = await api(server, {
        'GET /shop/{proxy+}': route(through('${stageVariables.link}')),
        'GET /arn/{proxy+}': route(through(byArn.id)),
        'GET /listener/{proxy+}': route(through(shop.id, { integrationTarget: listener })),
    }, { variables: { link: shop.id } });
    const get = async (path) => {
        const answer = await request(one.url + path);
        assert.equal(answer.status, 200, answer.text);
        return answer.json().target;
    };

    await t.test('in turns, with the name of the endpoint in Host', async () => {
        const names = [];
        for (let i = 0; i < 9; i++) names.push(await get('/shop/a%20b'));
        for (const one of targets) assert.equal(names.filter((name) => name === one.name).length, 3, names.join());
        assert.deepEqual(targets[0].seen[0], { url: '/base/a%20b', host: 'shop.internal:8080', name: undefined });
    });
    await t.test('status: what is known of the targets', async () => {
        const { status, statusMessage } = await gateway.getVpcLink({ vpcLinkId: shop.id });
        assert.deepEqual([shop.status, status, statusMessage], ['PENDING', 'AVAILABLE', 'Your vpc link is ready for use']);
        const failed = await gateway.getVpcLink({ vpcLinkId: unknown.id });
        assert.equal(failed.status, 'FAILED');
        assert.match(failed.statusMessage, /has no targets here: --vpc-link unknown=HOST:PORT says where it leads to/);
        assert.deepEqual(Object.fromEntries((await gateway.getVpcLinks({})).items.map((l) => [l.name, l.status])), { shop: 'AVAILABLE', 'by-arn': 'AVAILABLE', unknown: 'FAILED' });
    });
    await t.test('a refused connection is no answer while another target is there', async () => {
        for (let i = 0; i < 6; i++) assert.equal(await get('/arn/x'), 'one');
        assert.equal((await gateway.getVpcLink({ vpcLinkId: byArn.id })).statusMessage, '1 of 2 targets are healthy');
    });
    await t.test('the listener that the integration names', async () => {
        for (let i = 0; i < 3; i++) assert.equal(await get('/listener/x'), 'two');
    });
    await t.test('who says it is ill gets nothing, and comes back', async () => {
        targets[2].healthy = false;
        await eventually('three is out', async () => (await gateway.getVpcLink({ vpcLinkId: shop.id })).statusMessage === '2 of 3 targets are healthy', 20000);
        const before = targets[2].seen.length;
        for (let i = 0; i < 6; i++) await get('/shop/x');
        assert.equal(targets[2].seen.length, before);
        targets[2].healthy = true;
        await eventually('three is back', async () => (await get('/shop/x')) === 'three', 20000);
    });
    await t.test('none is left: 504, and the next one that comes up is used', async () => {
        const { port } = targets[1];
        await targets[1].stop();
        assert.equal((await request(`${one.url}/listener/x`)).status, 504);
        await target(t, 'again', { port });
        assert.equal(await get('/listener/x'), 'again');
    });
    await t.test('in use: not deleted', async () => {
        await assert.rejects(gateway.deleteVpcLink({ vpcLinkId: shop.id }), (error) => {
            assert.equal(error.name, 'BadRequestException');
            assert.match(error.message, new RegExp(`^Cannot delete vpc link. Vpc link '${shop.id}', is referenced in \\[GET:[a-z0-9]{6}:dev, GET:[a-z0-9]{6}:dev\\] in format of \\[Method:Resource:Stage\\]\\.$`));
            return true;
        });
        await gateway.deleteVpcLink({ vpcLinkId: unknown.id });
    });
    await t.test('what cannot be served is refused by name', async () => {
        const rows = [
            [through('nolink'), "GET /x/{proxy+}: there is no VPC link 'nolink'"],
            [through('${stageVariables.none}'), "GET /x/{proxy+}: there is no VPC link ''"],
            [through(shop.id, { integrationTarget: 'arn:aws:elasticloadbalancing:us-east-1:1:listener/app/z/1/1' }), 'GET /x/{proxy+}: the integrationTarget arn:aws:elasticloadbalancing:us-east-1:1:listener/app/z/1/1 has no targets here: --vpc-link arn:aws:elasticloadbalancing:us-east-1:1:listener/app/z/1/1=HOST:PORT says where it leads to'],
        ];
        for (const [integration, message] of rows)
            await assert.rejects(api(server, { 'GET /x/{proxy+}': route(integration) }), { name: 'BadRequestException', message });
        for (const value of ['shop', 'shop=', 'shop=127.0.0.1', '=127.0.0.1:1', 'shop=ftp://127.0.0.1:1'])
            await assert.rejects(start(t, { args: ['--vpc-link', value] }), /a VPC link's name or target ARN/, value);
    });
});

test("TLS through a VPC link: the endpoint's name is asked for and believed", async (t) => {
    const ours = authority(t);
    const good = await target(t, 'good', { tls: ours.issue('shop', { alt: 'DNS:shop.internal' }) });
    const server = await serving(t, ['--backend-ca', ours.ca.file, '--vpc-link', `shop=127.0.0.1:${good.port}`]);
    const { id } = await control(server).createVpcLink({ name: 'shop', targetArns: [nlb] });
    const one = await api(server, {
        'GET /good': { integration: httpProxy('https://shop.internal/', { connectionType: 'VPC_LINK', connectionId: id }) },
        'GET /bad': { integration: httpProxy('https://other.internal/', { connectionType: 'VPC_LINK', connectionId: id }) },
    });
    assert.deepEqual((await request(`${one.url}/good`)).json(), { target: 'good' });
    assert.deepEqual(good.seen[0], { url: '/', host: 'shop.internal', name: 'shop.internal' });
    assert.equal((await request(`${one.url}/bad`)).status, 500);
});
