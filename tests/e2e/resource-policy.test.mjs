// Policies of REST APIs: what is kept and shown, AWS's tables A and B, and when they count.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import * as iam from '@aws-sdk/client-iam';

import { api, control, fn, invocation } from './support/apis.mjs';
import { account, region, request, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const other = '111122223333';
const statement = (Effect, Resource, more) => ({ Effect, Principal: '*', Action: 'execute-api:Invoke', Resource, ...more });
const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const shown = (made) => JSON.parse(JSON.parse(`"${made.policy}"`));
const wrong = { name: 'BadRequestException', message: 'Invalid policy document. Please check the policy syntax and ensure that Principals are valid.' };

test('the document: what is taken, kept and shown', async (t) => {
    const server = await start(t);
    const gateway = control(server);
    const plain = policy(statement('Allow', ['execute-api:/*'], { Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] } } }));
    const made = await gateway.createRestApi({ name: 'one', policy: plain });
    const arn = `arn:aws:execute-api:${region}:${account}:${made.id}`;
    const replace = (value, op = 'replace') => gateway.updateRestApi({ restApiId: made.id, patchOperations: [{ op, path: '/policy', value }] });

    await t.test('escaped once more, slashes too; the short ARN written out, a list of one its element', async () => {
        assert.equal(made.policy, `{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Principal\\":\\"*\\",\\"Action\\":\\"execute-api:Invoke\\",\\"Resource\\":\\"${arn}\\/*\\",\\"Condition\\":{\\"IpAddress\\":{\\"aws:SourceIp\\":\\"10.0.0.0\\/8\\"}}}]}`);
        assert.equal((await gateway.getRestApi({ restApiId: made.id })).policy, made.policy);
        assert.equal((await gateway.getRestApis({})).items[0].policy, made.policy);
    });
    await t.test('the escaped form, quoted or not, is the same document', async () => {
        for (const value of [made.policy, `"${made.policy}"`]) assert.equal((await replace(value)).policy, made.policy);
    });
    await t.test('lists of several stay, one statement becomes a list, members get their order', async () => {
        const value = JSON.stringify({ Statement: { Resource: ['execute-api:/dev/GET/a', 'execute-api:/dev/GET/b'], Action: ['execute-api:*'], Principal: { AWS: [other] }, Effect: 'Deny', Sid: 'x' }, Version: '2012-10-17' });
        const kept = shown(await replace(value));
        assert.deepEqual(kept, { Version: '2012-10-17', Statement: [{ Sid: 'x', Effect: 'Deny', Principal: { AWS: other }, Action: 'execute-api:*', Resource: [`${arn}/dev/GET/a`, `${arn}/dev/GET/b`] }] });
        assert.deepEqual(Object.keys(kept.Statement[0]), ['Sid', 'Effect', 'Principal', 'Action', 'Resource']);
    });
    await t.test('what is no policy of an API is refused, and the old one stays', async () => {
        const before = (await gateway.getRestApi({ restApiId: made.id })).policy;
        const ok = statement('Allow', '*');
        const bad = {
            'no JSON': '{"Version":', 'a list': '[]', 'no statement': '{"Version":"2012-10-17"}', 'an unknown member': policy({ ...ok, Foo: 1 }),
            'duplicate members': '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}',
            'no principal': policy({ ...ok, Principal: undefined }), 'no resource': policy({ ...ok, Resource: undefined }),
            'no action': policy({ ...ok, Action: undefined }), 'effect maybe': policy({ ...ok, Effect: 'Maybe' }),
            'another service': policy({ ...ok, Action: 's3:GetObject' }), 'among others': policy({ ...ok, Action: ['execute-api:Invoke', 's3:*'] }),
            'an unknown operator': policy({ ...ok, Condition: { IpAdress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
            'a version of its own': JSON.stringify({ Version: '2026-01-01', Statement: [ok] }),
            'a user who is not there': policy({ ...ok, Principal: { AWS: `arn:aws:iam::${account}:user/nobody` } }),
            'twice the same Sid': policy({ ...ok, Sid: 'a' }, { ...ok, Sid: 'a' }), 'nesting': '['.repeat(20000), 'huge': policy({ ...ok, Resource: 'x'.repeat(70000) }),
        };
        for (const [why, value] of Object.entries(bad)) {
            await assert.rejects(replace(value), wrong, why);
            await assert.rejects(gateway.createRestApi({ name: 'bad', policy: value }), wrong, why);
        }
        assert.equal((await gateway.getRestApi({ restApiId: made.id })).policy, before);
        assert.equal((await gateway.getRestApis({})).items.length, 1);
    });
    await t.test('8,192 characters, and not one more', async () => {
        const sized = (length) => { const empty = policy(statement('Allow', '')).length; return policy(statement('Allow', 'x'.repeat(length - empty))); };
        assert.equal(JSON.stringify(shown(await replace(sized(8192)))).length, 8192);
        await assert.rejects(replace(sized(8193)), { name: 'BadRequestException', message: /too large: 8193 characters, the limit is 8192/ });
    });
    await t.test('only replace; an empty value takes it away', async () => {
        for (const op of ['add', 'remove', 'copy']) await assert.rejects(replace(plain, op), { name: 'BadRequestException' });
        assert.equal((await replace('')).policy, undefined);
    });
    await t.test('setting one needs apigateway:UpdateRestApiPolicy', async () => {
        const send = (name, input) => server.client(iam.IAMClient).send(new iam[`${name}Command`](input));
        await send('CreateUser', { UserName: 'bob' });
        await send('PutUserPolicy', { UserName: 'bob', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['apigateway:POST', 'apigateway:PATCH'], Resource: '*' }] }) });
        const { AccessKey: key } = await send('CreateAccessKey', { UserName: 'bob' });
        const bob = control(server, { credentials: { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey } });
        const denied = (resource) => ({ name: 'AccessDeniedException', message: `User: arn:aws:iam::${account}:user/bob is not authorized to perform: apigateway:UpdateRestApiPolicy on resource: arn:aws:apigateway:${region}::${resource} because no identity-based policy allows the apigateway:UpdateRestApiPolicy action` });
        await assert.rejects(bob.createRestApi({ name: 'bobs', policy: plain }), denied('/restapis'));
        await assert.rejects(bob.updateRestApi({ restApiId: made.id, patchOperations: [{ op: 'replace', path: '/policy', value: plain }] }), denied(`/restapis/${made.id}`));
        await bob.createRestApi({ name: 'bobs' });
    });
});

// [own policy or authorizer, resource policy] → same account, other account (AWS's tables A and B)
const tables = [
    ['allow', 'allow', 'allow', 'allow'],
    ['allow', 'silent', 'allow', 'silent'],
    ['allow', 'deny', 'deny', 'deny'],
    ['silent', 'allow', 'allow', 'silent'],
    ['silent', 'silent', 'silent', 'silent'],
    ['silent', 'deny', 'deny', 'deny'],
    ['deny', 'allow', 'deny', 'deny'],
    ['deny', 'silent', 'deny', 'deny'],
    ['deny', 'deny', 'deny', 'deny'],
];

test('who may call', async (t) => {
    const server = await start(t);
    const gate = await fn(server, 'gate', `
        export const handler = async ({ authorizationToken: said, methodArn }) => ({
            principalId: said,
            policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: said === 'deny' ? 'Deny' : 'Allow', Resource: said === 'silent' ? 'arn:aws:execute-api:::none' : methodArn }] },
        });`);
    const pool = server.client(idp.CognitoIdentityProviderClient);
    const cognito = (name, input) => pool.send(new idp[`${name}Command`](input));
    const { UserPool } = await cognito('CreateUserPool', { PoolName: 'p' });
    const { UserPoolClient } = await cognito('CreateUserPoolClient', { UserPoolId: UserPool.Id, ClientName: 'c', ExplicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] });
    await cognito('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'ada', MessageAction: 'SUPPRESS' });
    await cognito('AdminSetUserPassword', { UserPoolId: UserPool.Id, Username: 'ada', Password: 'Passw0rd!', Permanent: true });
    const { AuthenticationResult: tokens } = await cognito('AdminInitiateAuth', { UserPoolId: UserPool.Id, ClientId: UserPoolClient.ClientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ada', PASSWORD: 'Passw0rd!' } });

    const one = await api(server, { 'GET /open': {}, 'GET /iam': { method: { authorizationType: 'AWS_IAM' } } }, { stage: 'none' });
    const authorizer = (name, more) => one.gateway.createAuthorizer({ restApiId: one.id, name, ...more });
    const token = await authorizer('gate', { type: 'TOKEN', identitySource: 'method.request.header.token', authorizerUri: invocation(gate), authorizerResultTtlInSeconds: 0 });
    const users = await authorizer('pool', { type: 'COGNITO_USER_POOLS', identitySource: 'method.request.header.Authorization', providerARNs: [UserPool.Arn] });
    await one.add('GET /gate', { method: { authorizationType: 'CUSTOM', authorizerId: token.id } });
    await one.add('GET /pool', { method: { authorizationType: 'COGNITO_USER_POOLS', authorizerId: users.id } });
    // A stage each, deployed under another policy: which one counts is settled by the deployment.
    const stages = {
        none: '', allow: policy(statement('Allow', 'execute-api:/*')), silent: policy(statement('Allow', 'execute-api:/*/GET/elsewhere')),
        deny: policy(statement('Allow', 'execute-api:/*'), statement('Deny', 'execute-api:/deny/*')),
        here: policy(statement('Allow', 'execute-api:/here/*', { Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } })),
        there: policy(statement('Allow', 'execute-api:/there/*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })),
        endpoint: policy(statement('Allow', 'execute-api:/*'), statement('Deny', 'execute-api:/*', { Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1a2b3c4d' } } })),
        agent: policy(statement('Allow', 'execute-api:/*', { Condition: { StringLike: { 'aws:UserAgent': 'good-*' } } })),
        mine: policy(statement('Allow', 'execute-api:/*', { Condition: { StringEquals: { 'aws:PrincipalAccount': account } } })),
        others: policy(statement('Allow', 'execute-api:/*', { Principal: { AWS: other } })),
    };
    const apply = async (stageName, value) => {
        await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/policy', value }] });
        await one.gateway.createDeployment({ restApiId: one.id, stageName });
    };
    for (const [stageName, value] of Object.entries(stages)) await apply(stageName, value);
    const url = (stage, path) => `${server.url}/_aws/execute-api/${one.id}/${stage}${path}`;
    const arn = (stage, path) => `arn:aws:execute-api:${region}:********0000:${one.id}/${stage}/GET${path}`;
    const anonymous = (stage, path, end) => `User: anonymous is not authorized to perform: execute-api:Invoke on resource: ${arn(stage, path)}${end}`;
    const silence = ' because no resource-based policy allows the execute-api:Invoke action';
    const denial = ' with an explicit deny in a resource-based policy';
    const says = (answer, text) => {
        assert.equal(answer.status, 403, answer.text);
        assert.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException');
        assert.deepEqual(answer.json(), { Message: text });
    };

    await t.test('NONE: an allow is needed, as anonymous', async () => {
        for (const stage of ['none', 'allow', 'here']) assert.equal((await request(url(stage, '/open'))).status, 200, stage);
        for (const stage of ['silent', 'there', 'agent', 'mine', 'others']) says(await request(url(stage, '/open')), anonymous(stage, '/open', silence));
        for (const stage of ['deny', 'endpoint']) says(await request(url(stage, '/open')), anonymous(stage, '/open', denial));
        assert.equal((await request(url('agent', '/open'), { headers: { 'user-agent': 'good-one' } })).status, 200);
    });
    await t.test('the draft\'s policy waits for its deployment', async () => {
        await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/policy', value: stages.deny }] });
        assert.equal((await request(url('allow', '/open'))).status, 200);
    });
    await t.test('a Lambda authorizer: table A', async () => {
        for (const [said, stage, want] of tables) {
            const answer = await request(url(stage, '/gate'), { headers: { token: said } });
            assert.equal(answer.status, want === 'allow' ? 200 : 403, `${said} ${stage} ${answer.text}`);
            if (want === 'silent') assert.match(answer.json().Message, /because no identity-based policy allows/);
        }
    });
    await t.test('a denied caller never reaches the authorizer; a silent policy does not stop him', async () => {
        says(await request(url('deny', '/gate')), anonymous('deny', '/gate', denial)); // not 401: nobody asked for the token
        assert.equal((await request(url('silent', '/gate'))).status, 401);
    });
    await t.test('Cognito: the token first, then the policy must allow', async () => {
        const get = (stage, Authorization) => request(url(stage, '/pool'), { headers: Authorization ? { Authorization } : {} });
        for (const stage of ['none', 'allow', 'silent', 'deny']) assert.equal((await get(stage)).status, 401, stage);
        for (const stage of ['none', 'allow', 'here']) assert.equal((await get(stage, tokens.IdToken)).status, 200, stage);
        says(await get('silent', tokens.IdToken), anonymous('silent', '/pool', silence));
        says(await get('deny', tokens.IdToken), anonymous('deny', '/pool', denial));
    });

    const callers = {};
    for (const [name, root] of [['same', account], ['other', other]]) {
        const client = server.client(iam.IAMClient, { credentials: { accessKeyId: root, secretAccessKey: 'x' } });
        const send = (command, input) => client.send(new iam[`${command}Command`](input));
        for (const own of ['allow', 'silent', 'deny']) {
            const UserName = `${name}-${own}`;
            await send('CreateUser', { UserName });
            const Effect = own === 'deny' ? 'Deny' : 'Allow', Action = own === 'silent' ? 'a:B' : 'execute-api:*';
            await send('PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource: '*' }] }) });
            const { AccessKey: key } = await send('CreateAccessKey', { UserName });
            callers[UserName] = { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
        }
    }
    const call = async (stage, who) => {
        const answer = await signed(url(stage, '/iam'), callers[who] ?? who);
        const text = await answer.text();
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: () => JSON.parse(text) };
    };
    for (const [name, column] of [['same', 2], ['other', 3]]) {
        await t.test(`AWS_IAM, ${name} account: table ${name === 'same' ? 'A' : 'B'}`, async () => {
            for (const row of tables) {
                const [own, stage] = row;
                const answer = await call(stage, `${name}-${own}`);
                assert.equal(answer.status, row[column] === 'allow' ? 200 : 403, `${row} ${answer.text}`);
                if (row[column] !== 'allow')
                    assert.match(answer.json().Message, row[column] === 'deny' ? / with an explicit deny in a(n identity| resource)-based policy$/ : / because no (identity|resource)-based policy allows the execute-api:Invoke action$/, `${row}`);
            }
        });
    }
    await t.test('AWS_IAM: the sentences name the side that was silent', async () => {
        const who = (name, id, end) => `User: arn:aws:iam::${id}:user/${name} is not authorized to perform: execute-api:Invoke on resource: `;
        says(await call('silent', 'other-allow'), who('other-allow', other) + arn('silent', '/iam') + silence);
        says(await call('none', 'other-allow'), who('other-allow', other) + arn('none', '/iam') + silence);
        says(await call('allow', 'other-silent'), who('other-silent', other) + arn('allow', '/iam') + silence.replace('resource', 'identity'));
        says(await call('silent', 'same-silent'), who('same-silent', account) + arn('silent', '/iam') + silence.replace('resource', 'identity'));
    });
    await t.test('AWS_IAM: a policy that names an account, and keys of the principal', async () => {
        assert.equal((await call('others', 'other-allow')).status, 200);
        assert.equal((await call('others', 'other-silent')).status, 403);
        assert.equal((await call('others', 'same-silent')).status, 403);
        assert.equal((await call('mine', 'same-silent')).status, 200);
        assert.equal((await call('mine', 'other-allow')).status, 403);
        assert.equal((await call('others', { accessKeyId: other, secretAccessKey: 'x' })).status, 200); // dev mode's root
        assert.equal((await call('none', { accessKeyId: other, secretAccessKey: 'x' })).status, 403);
        assert.equal((await call('deny', { accessKeyId: account, secretAccessKey: 'x' })).status, 403);
    });
    await t.test('AWS_IAM: naming the own account leaves it to its policies, naming the user does not', async () => {
        await apply('account', policy(statement('Allow', 'execute-api:/*', { Principal: { AWS: account } })));
        assert.equal((await call('account', 'same-silent')).status, 403);
        assert.equal((await call('account', 'same-allow')).status, 200);
        await apply('user', policy(statement('Allow', 'execute-api:/*', { Principal: { AWS: `arn:aws:iam::${account}:user/same-silent` } })));
        assert.equal((await call('user', 'same-silent')).status, 200);
        assert.equal((await call('user', 'same-deny')).status, 403);
    });
    await t.test('a path too long to judge: 414', async () => {
        const answer = await request(url('allow', `/open?${'x'}`).replace('/open', `/open/${'y'.repeat(1700)}`));
        assert.equal(answer.status, 403); // no such resource: nothing to judge
        await one.add('GET /deep/{proxy+}', {});
        await apply('long', stages.allow);
        assert.equal((await request(url('long', `/deep/${'y'.repeat(1700)}`))).status, 414);
        assert.equal((await request(url('long', '/deep/y'))).status, 200);
    });
    await t.test('1,000 stars against a long path: an answer at once', async () => {
        await apply('stars', policy(statement('Allow', `execute-api:/stars/GET/deep/${'*y'.repeat(1000)}*x`)));
        const begun = process.hrtime.bigint();
        assert.equal((await request(url('stars', `/deep/${'y'.repeat(1400)}`))).status, 403);
        assert.ok(Number(process.hrtime.bigint() - begun) / 1e6 < 500);
    });
});

test('PRIVATE APIs and the default endpoint switched off', async (t) => {
    const server = await start(t);
    const one = await api(server, { 'GET /': {} }, { make: { endpointConfiguration: { types: ['PRIVATE'] }, policy: policy(statement('Allow', 'execute-api:/*')) } });
    await t.test('a PRIVATE API answers this machine', async () => {
        assert.equal((await request(`${one.url}/`)).status, 200);
    });
    await t.test('without a policy it is not deployed', async () => {
        await one.gateway.updateRestApi({ restApiId: one.id, patchOperations: [{ op: 'replace', path: '/policy', value: '' }] });
        await assert.rejects(one.deploy(), { name: 'BadRequestException', message: "Private REST API doesn't have a resource policy attached to it" });
        assert.equal((await request(`${one.url}/`)).status, 200);
    });
    await t.test('VPC endpoints are refused by name', async () => {
        await assert.rejects(control(server).createRestApi({ name: 'x', endpointConfiguration: { types: ['PRIVATE'], vpcEndpointIds: ['vpce-1a2b3c4d'] } }), /vpcEndpointIds/);
    });
    await t.test('disableExecuteApiEndpoint: 403 Forbidden by host and by path, after the deployment', async () => {
        const two = await api(server, { 'GET /': {} });
        await two.gateway.updateRestApi({ restApiId: two.id, patchOperations: [{ op: 'replace', path: '/disableExecuteApiEndpoint', value: 'true' }] });
        assert.equal((await request(`${two.url}/`)).status, 200);
        await two.deploy();
        const host = `${two.id}.execute-api.${region}.amazonaws.com`;
        for (const answer of [await request(`${two.url}/`), await request(`${server.url}/dev/`, { headers: { host } })]) {
            assert.deepEqual([answer.status, answer.json()], [403, { message: 'Forbidden' }]);
            assert.equal(answer.headers['x-amzn-errortype'], 'ForbiddenException');
        }
    });
});
