// Rows about deploying: what one costs, what a thousand deployed APIs weigh, what many routes cost.
import * as sdk from '@aws-sdk/client-api-gateway';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { root, start } from '../tests/e2e/support/harness.mjs';
import { cpuUs, load, median, residentKiB } from './measure.mjs';

const template = `#set($body = $input.path('$'))
{"id":"$input.params('id')","stage":"$stageVariables.color","caller":"$context.identity.sourceIp",
 "items":[#foreach($item in $body.items){"name":"$util.escapeJavaScript($item.name)","n":$item.n}#if($foreach.hasNext),#end#end]}`;
const answer = '{"ok":true}';

function client(server) {
    const api = server.client(sdk.APIGatewayClient);
    return (name, input) => api.send(new sdk[`${name}Command`](input));
}

// An API of `n` resources with a GET each: by turns a mock with templates and an HTTP proxy.
async function apiOf(call, name, n) {
    const { id: restApiId, rootResourceId } = await call('CreateRestApi', { name });
    const parents = [];
    for (let i = 0; i < n; i++) {
        const parentId = i % 10 ? parents.at(-1) : rootResourceId;
        const { id: resourceId } = await call('CreateResource', { restApiId, parentId, pathPart: i % 10 ? `item-${i}` : `service-${i}` });
        if (i % 10 === 0) parents.push(resourceId);
        const at = { restApiId, resourceId, httpMethod: 'GET' };
        await call('PutMethod', { ...at, authorizationType: 'NONE', requestParameters: { 'method.request.querystring.q': false } });
        if (i % 2) {
            await call('PutIntegration', { ...at, type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri: `http://127.0.0.1:9000/item/${i}`, requestParameters: { 'integration.request.querystring.q': 'method.request.querystring.q' } });
        } else {
            await call('PutIntegration', { ...at, type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
            await call('PutMethodResponse', { ...at, statusCode: '200' });
            await call('PutIntegrationResponse', { ...at, statusCode: '200', responseTemplates: { 'application/json': i ? template : answer } });
        }
    }
    return { restApiId, first: parents[0] };
}

async function timed(fn) {
    const begun = process.hrtime.bigint();
    await fn();
    return Number(process.hrtime.bigint() - begun) / 1e6;
}

export const deployRows = (row, { quick, workers }) => ({
    async deploy() {
        const server = await start(null, { args: ['--workers', String(workers)] });
        const call = client(server);
        const { restApiId, first } = await apiOf(call, 'large', 300);
        const deploy = () => call('CreateDeployment', { restApiId, stageName: 'live', variables: { color: 'blue' } });
        const change = (i) => call('UpdateMethod', { restApiId, resourceId: first, httpMethod: 'GET', patchOperations: [{ op: 'replace', path: '/operationName', value: `v${i}` }] });
        await deploy();
        const times = quick ? 5 : 30;
        const all = async (fn) => {
            const took = [], before = cpuUs(server.pid);
            for (let i = 0; i < times; i++) took.push(await timed(() => fn(i)));
            return { ms: median(took), show: `${median(took).toFixed(1)} ms, ${((cpuUs(server.pid) - before) / times / 1000).toFixed(1)} ms of CPU` };
        };
        const changes = await all(change), deploys = await all(deploy);
        row('one deploy of an API with 300 resources', deploys.show, '', '', '≤ 50 ms', deploys.ms <= 50);
        row('one change of its draft', changes.show);
        // Full load on the stage that is deployed to: load() throws when one request fails.
        const seconds = quick ? 6 : 60, count = quick ? 10 : 100;
        let done = 0;
        const underLoad = [];
        const [seen] = await Promise.all([
            load(`${server.url}/_aws/execute-api/${restApiId}/live/service-0`, server.pid, { seconds }),
            (async () => {
                const begun = Date.now();
                for (; done < count; done++) {
                    const wait = begun + (done * seconds * 950) / count - Date.now();
                    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
                    underLoad.push(await timed(deploy));
                }
            })(),
        ]);
        row(`${count} deploys in ${seconds} s under full load (${Math.round(seen.perSecond)}/s)`, `0 failed requests, ${median(underLoad).toFixed(1)} ms each`, '', '', 'none failed', true);
        await server.stop();
    },
    async apis() {
        const server = await start(null, { args: ['--workers', String(workers)] });
        const call = client(server);
        const idle = residentKiB(server.pid);
        const { restApiId } = await apiOf(call, 'small', 10);
        const count = quick ? 100 : 1000;
        await call('CreateDeployment', { restApiId, stageName: 'live' });
        for (let i = 1; i < count; i++) {
            const { id } = await call('CreateRestApi', { name: `small-${i}`, cloneFrom: restApiId });
            await call('CreateDeployment', { restApiId: id, stageName: 'live' });
        }
        const grown = residentKiB(server.pid);
        await server.restart('SIGTERM');
        const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
        const after = residentKiB(server.pid);
        row(`${count} APIs of ten resources, deployed one by one`, mib(grown), '', '', '≤ 100 MiB', grown <= 100 * 1024);
        row('… after a restart', `${mib(after)}, started in ${server.startMs.toFixed(0)} ms`, '', '', '≤ 100 MiB', after <= 100 * 1024);
        row('… each', `${((after - idle) / count).toFixed(1)} KiB`);
        await server.stop();
    },
    async routes() {
        const folder = path.join(root, 'build');
        const program = path.join(folder, 'bench_routes');
        const sources = ['bench/routes.c', 'gateway/route.c', ...['arena', 'str', 'map', 'env_system', 'err'].map((name) => `core/${name}.c`)];
        execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-I', root, '-o', program, ...sources.map((file) => path.join(root, file))]);
        const runs = Array.from({ length: quick ? 3 : 9 }, () => execFileSync(program).toString().trim().split(' ').map(Number));
        const few = median(runs.map((run) => run[0])), many = median(runs.map((run) => run[1]));
        row('look-up among 10,000 routes (beside: among 10)', `${many.toFixed(0)} ns`, `${few.toFixed(0)} ns`, `${(many / few).toFixed(2)}×`, '≤ 1.2×', many / few <= 1.2);
    },
});
