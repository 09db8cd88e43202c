// Options beyond AWS: /_gatehouse/apis/{id}/stages/{stage}/options and `gatehouse options`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import { api, control, mock } from './support/apis.mjs';
import { binary, region, run, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const json = (method, body) => ({ method, body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } });

test('options are set, read, changed and taken away; what is wrong is refused by name', async (t) => {
    const server = await start(t);
    const made = await api(server, { 'GET /a': { integration: mock } }, { name: 'shop' });
    const at = `/_gatehouse/apis/${made.id}/stages/dev/options`;
    const ask = async (options, target = at) => {
        const answer = await server.fetch(target, options);
        return [answer.status, await answer.json()];
    };
    assert.deepEqual(await ask(), [200, {}]);
    assert.deepEqual(await ask(json('PUT', { watchWindowSeconds: 60, watchErrorPercent: '2.5' })), [200, { watchWindowSeconds: 60, watchErrorPercent: 2.5 }]);
    assert.deepEqual(await ask(json('PATCH', { watchMinRequests: 3, watchErrorPercent: null })), [200, { watchWindowSeconds: 60, watchMinRequests: 3 }]);
    assert.deepEqual(await ask(), [200, { watchWindowSeconds: 60, watchMinRequests: 3 }]);

    const refused = [
        [{ watchWindow: 1 }, /^No option is called watchWindow\. There are: watchWindowSeconds, /],
        [{ watchWindowSeconds: 0 }, /^Invalid value for option watchWindowSeconds: a whole number from 1 to 86400$/],
        [{ watchWindowSeconds: 1.5 }, /whole number/],
        [{ watchWindowSeconds: 'x' }, /whole number/],
        [{ watchWindowSeconds: true }, /whole number/],
        [{ watchWindowSeconds: [] }, /whole number/],
        [{ watchErrorPercent: 101 }, /a number from 0 to 100/],
        ['[]', /Send a JSON object/],
        ['{"watchWindowSeconds":1,"watchWindowSeconds":2}', /Send a JSON object/],
        ['', /Send a JSON object/],
    ];
    for (const [body, message] of refused) {
        const [status, answer] = await ask(json('PUT', body));
        assert.equal(status, 400, JSON.stringify(body));
        assert.match(answer.message, message);
    }
    assert.deepEqual(await ask(), [200, { watchWindowSeconds: 60, watchMinRequests: 3 }], 'a refused change changes nothing');
    assert.equal((await ask(json('PUT', `{"x":"${'y'.repeat(70000)}"}`)))[0], 413);
    assert.equal((await ask(undefined, at.replace('dev', 'nope')))[0], 404);
    assert.equal((await ask(undefined, `/_gatehouse/apis/nope/stages/dev/options`))[0], 404);
    assert.equal((await ask(json('DELETE', '{}')))[0], 405);
    assert.equal((await ask(undefined, `/_gatehouse/apis/${made.id}/stages/dev/nope`))[0], 404);

    // AWS's own answers do not show them, and AWS's own changes keep them.
    await made.patch(['replace', '/description', 'x']);
    await made.deploy();
    assert.equal((await control(server).getStage({ restApiId: made.id, stageName: 'dev' })).options, undefined);
    await server.restart();
    assert.deepEqual(await ask(), [200, { watchWindowSeconds: 60, watchMinRequests: 3 }]);

    const env = { AWS_ENDPOINT_URL: server.url };
    const set = await run(binary(), ['options', 'shop', 'dev', 'watchWindowSeconds=5', 'watchMinRequests='], { env });
    assert.equal(set.code, 0, set.stderr);
    assert.match(set.stdout, /^watchWindowSeconds +5 +/m);
    assert.match(set.stdout, /^watchMinRequests +- +/m);
    assert.deepEqual(await ask(), [200, { watchWindowSeconds: 5 }]);
    const wrong = await run(binary(), ['options', 'shop', 'dev', 'speed=1'], { env });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /No option is called speed/);
    assert.equal((await run(binary(), ['options', 'shop', 'dev', 'speed'], { env })).code, 1);
    assert.equal((await run(binary(), ['options', 'none', 'dev'], { env })).code, 1);
});

test('serve mode: signed, and allowed as UpdateStage and GetStage are', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const text = fs.readFileSync(path.join(server.data, 'root-credentials'), 'utf8');
    const root = { accessKeyId: /aws_access_key_id = (\S+)/.exec(text)[1], secretAccessKey: /aws_secret_access_key = (\S+)/.exec(text)[1] };
    const send = (credentials, options) => signed(target, credentials, { service: 'apigateway', ...options });
    const users = server.client(iam.IAMClient, { credentials: root });
    const made = await api({ url: server.url, client: (C, o) => server.client(C, { credentials: root, ...o }) }, { 'GET /a': { integration: mock } });
    await users.send(new iam.CreateUserCommand({ UserName: 'reader' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'reader' }));
    const reader = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    await users.send(new iam.PutUserPolicyCommand({
        UserName: 'reader', PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'apigateway:GET', Resource: `arn:aws:apigateway:${region}::/restapis/${made.id}/stages/dev` }] }),
    }));
    const target = `${server.url}/_gatehouse/apis/${made.id}/stages/dev/options`;
    assert.equal((await fetch(target)).status, 403);
    assert.equal((await send(reader)).status, 200);
    const refused = await send(reader, { method: 'PATCH', body: '{"watchWindowSeconds":1}' });
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /apigateway:PATCH/);
    assert.equal((await send(root, { method: 'PATCH', body: '{"watchWindowSeconds":1}' })).status, 200);
});
