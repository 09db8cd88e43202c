// Options beyond AWS of a user pool: /_gatehouse/user-pools/{id}/options and `gatehouse options POOLID`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import * as iam from '@aws-sdk/client-iam';
import { binary, rootKey, run, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const json = (method, body) => ({ method, body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } });

test('options are set, read, changed and taken away; what is wrong is refused by name', async (t) => {
    const server = await start(t);
    const client = server.client(idp.CognitoIdentityProviderClient);
    const { UserPool } = await client.send(new idp.CreateUserPoolCommand({ PoolName: 'shop' }));
    const at = `/_gatehouse/user-pools/${UserPool.Id}/options`;
    const ask = async (options, target = at) => {
        const answer = await server.fetch(target, options);
        return [answer.status, await answer.json()];
    };
    assert.deepEqual(await ask(), [200, {}]);
    assert.deepEqual(await ask(json('PUT', { lockoutAfterFailures: 3, capConfirmSignUp: '7' })), [200, { lockoutAfterFailures: 3, capConfirmSignUp: 7 }]);
    assert.deepEqual(await ask(json('PATCH', { lockoutMaxSeconds: 60, capConfirmSignUp: null })), [200, { lockoutAfterFailures: 3, lockoutMaxSeconds: 60 }]);
    assert.deepEqual(await ask(json('PUT', { lockoutMaxSeconds: 61 })), [200, { lockoutMaxSeconds: 61 }], 'PUT is all there is');

    const refused = [
        [{ lockout: 1 }, /^No option is called lockout\. There are: lockoutAfterFailures, /],
        [{ lockoutAfterFailures: 0 }, /^Invalid value for option lockoutAfterFailures: a whole number from 1 to 1000$/],
        [{ lockoutAfterFailures: 1.5 }, /whole number/],
        [{ lockoutAfterFailures: 'x' }, /whole number/],
        [{ lockoutAfterFailures: [] }, /whole number/],
        ['[]', /Send a JSON object/],
        ['{"lockoutMaxSeconds":1,"lockoutMaxSeconds":2}', /Send a JSON object/],
        ['', /Send a JSON object/],
    ];
    for (const [body, message] of refused) {
        const [status, answer] = await ask(json('PATCH', body));
        assert.equal(status, 400, JSON.stringify(body));
        assert.equal(answer.__type, 'InvalidParameterException');
        assert.match(answer.message, message);
    }
    assert.deepEqual(await ask(), [200, { lockoutMaxSeconds: 61 }], 'a refused change changes nothing');
    assert.equal((await ask(json('PUT', `{"x":"${'y'.repeat(70000)}"}`)))[0], 413);
    const [status, none] = await ask(undefined, '/_gatehouse/user-pools/us-east-1_nobody000/options');
    assert.deepEqual([status, none.__type], [400, 'ResourceNotFoundException']);
    assert.equal((await ask(json('DELETE', '{}')))[0], 405);
    assert.equal((await ask(undefined, `/_gatehouse/user-pools/${UserPool.Id}/nope`))[0], 404);

    // AWS's own answers do not show them, and AWS's own changes keep them.
    await client.send(new idp.UpdateUserPoolCommand({ UserPoolId: UserPool.Id, PoolName: 'store' }));
    const described = await client.send(new idp.DescribeUserPoolCommand({ UserPoolId: UserPool.Id }));
    assert.equal(described.UserPool.Name, 'store');
    assert.ok(!JSON.stringify(described).includes('lockout'));
    await server.restart();
    assert.deepEqual(await ask(), [200, { lockoutMaxSeconds: 61 }]);

    const env = { AWS_ENDPOINT_URL: server.url };
    const set = await run(binary(), ['options', UserPool.Id, 'lockoutAfterFailures=9', 'lockoutMaxSeconds='], { env });
    assert.equal(set.code, 0, set.stderr);
    assert.match(set.stdout, /^lockoutAfterFailures +9 +/m);
    assert.match(set.stdout, /^lockoutMaxSeconds +- +/m);
    assert.deepEqual(await ask(), [200, { lockoutAfterFailures: 9 }]);
    const shown = await run(binary(), ['options', UserPool.Id], { env });
    assert.match(shown.stdout, /^lockoutAfterFailures +9 +/m);
    const wrong = await run(binary(), ['options', UserPool.Id, 'speed=1'], { env });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /No option is called speed/);
    assert.equal((await run(binary(), ['options', UserPool.Id, 'a=1', 'speed'], { env })).code, 1);
    assert.equal((await run(binary(), ['options', 'us-east-1_nobody000'], { env })).code, 1);
    assert.equal((await run(binary(), ['options'], { env })).code, 1);
});

test('serve mode: signed, and allowed as UpdateUserPool and DescribeUserPool are', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const root = rootKey(server);
    const { UserPool } = await server.client(idp.CognitoIdentityProviderClient, { credentials: root }).send(new idp.CreateUserPoolCommand({ PoolName: 'shop' }));
    const users = server.client(iam.IAMClient, { credentials: root });
    await users.send(new iam.CreateUserCommand({ UserName: 'reader' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'reader' }));
    const reader = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    await users.send(new iam.PutUserPolicyCommand({
        UserName: 'reader', PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'cognito-idp:DescribeUserPool', Resource: UserPool.Arn }] }),
    }));
    const target = `${server.url}/_gatehouse/user-pools/${UserPool.Id}/options`;
    const send = (credentials, options) => signed(target, credentials, { service: 'cognito-idp', ...options });
    assert.equal((await fetch(target)).status, 400);
    assert.equal((await send(reader)).status, 200);
    const refused = await send(reader, { method: 'PATCH', body: '{"lockoutMaxSeconds":1}' });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /cognito-idp:UpdateUserPool/);
    const other = await signed(target.replace(UserPool.Id, `${UserPool.Id}x`), reader, { service: 'cognito-idp' });
    assert.match(await other.text(), /AccessDeniedException/);
    assert.equal((await send(root, { method: 'PATCH', body: '{"lockoutMaxSeconds":1}' })).status, 200);
});
