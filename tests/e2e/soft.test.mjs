// --enforce=soft: what policies would deny is let through and kept; from that comes the least policy, under which
// the same traffic passes and nothing else does.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iamSdk from '@aws-sdk/client-iam';
import * as lambdaSdk from '@aws-sdk/client-lambda';
import * as stsSdk from '@aws-sdk/client-sts';

import { api, control, fn, mock } from './support/apis.mjs';
import { account, binary, region, rootKey, run, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const short = (sdk, client) => new Proxy({}, { get: (_, name) => (input = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)) });
const keysOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
const as = (server, sdk, credentials) => short(sdk, server.client(sdk[Object.keys(sdk).find((name) => /^(IAM|Lambda|STS)Client$/.test(name))], credentials && { credentials }));
const cli = (server, args) => run(binary(), args, { env: { AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: server.credentials?.accessKeyId ?? 'test', AWS_SECRET_ACCESS_KEY: server.credentials?.secretAccessKey ?? 'test' } });
const denials = async (server, principal) => (await (await signed(`${server.url}/_gatehouse/policy/denials${principal ? `?principal=${principal}` : ''}`, server.credentials ?? { accessKeyId: 'test', secretAccessKey: 'x' }, { service: 'iam' })).json());

async function user(server, UserName, document) {
    const iam = as(server, iamSdk);
    await iam.createUser({ UserName });
    if (document) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: document });
    return keysOf((await iam.createAccessKey({ UserName })).AccessKey);
}

let server;
test.before(async () => {
    server = await start(null, { args: ['--enforce=soft'] });
});
test.after(() => server.discard());

test('from soft to enforced', async () => {
    const iam = as(server, iamSdk);
    const robot = await user(server, 'robot');
    const service = (Service) => policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } });
    const role = (await iam.createRole({ RoleName: 'worker', AssumeRolePolicyDocument: service('lambda.amazonaws.com') })).Role.Arn;
    await iam.createRole({ RoleName: 'lender', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: account } }) });
    const hello = await fn(server, 'hello', 'export const handler = async () => 1;');
    const made = await api(server, Object.fromEntries(['a', 'b', 'c'].map((name) => [`GET /x/${name}`, { method: { authorizationType: 'AWS_IAM' }, integration: mock }])));

    const traffic = async () => {
        const lambda = as(server, lambdaSdk, robot), gateway = control(server, { credentials: robot });
        await lambda.invoke({ FunctionName: 'hello', InvocationType: 'DryRun' });
        await lambda.getFunctionConfiguration({ FunctionName: 'hello' });
        await lambda.updateFunctionConfiguration({ FunctionName: 'hello', Role: role });
        await lambda.listFunctions();
        await gateway.getRestApi({ restApiId: made.id });
        await as(server, iamSdk, robot).getUser({ UserName: 'robot' });
        await as(server, stsSdk, robot).assumeRole({ RoleArn: `arn:aws:iam::${account}:role/lender`, RoleSessionName: 'one' });
        for (const name of ['a', 'b', 'c']) assert.equal((await signed(`${made.url}/x/${name}`, robot)).status, 200, name);
    };
    await traffic();
    await traffic();

    const seen = await denials(server, 'user/robot');
    assert.equal(seen.enforcement, 'soft');
    assert.equal(seen.more, false);
    const row = (action) => seen.denials.find((one) => one.action === action);
    assert.deepEqual({ ...row('lambda:InvokeFunction'), last: 0 }, {
        principal: `arn:aws:iam::${account}:user/robot`, action: 'lambda:InvokeFunction', resource: hello, wouldBe: 2, refused: 0,
        reason: 'no identity-based policy allows lambda:InvokeFunction', last: 0,
    });
    assert.equal(row('iam:PassRole').passedTo, 'lambda.amazonaws.com');
    assert.equal(seen.denials.filter(({ action }) => action === 'execute-api:Invoke').length, 3);
    assert.match(server.log(), /would be refused/);
    assert.match(server.log(), /"enforced":"signatures of issued keys; what policies would deny is let through and kept/, 'said at the start');

    // What is kept survives a kill: it has been read, and so been written.
    await server.restart();
    const after = await denials(server, `arn:aws:iam::${account}:user/robot`);
    assert.deepEqual(after.denials.map(({ action, wouldBe }) => [action, wouldBe]).sort(), seen.denials.map(({ action, wouldBe }) => [action, wouldBe]).sort());
    const shown = await cli(server, ['policy', 'denials', 'robot']);
    assert.match(shown.stdout, /lambda:InvokeFunction {2}on arn:aws:lambda:\S+:function:hello {2}2 let through: no identity-based policy/);

    const { stdout, stderr, code } = await cli(server, ['policy', 'suggest', 'robot']);
    assert.equal(code, 0, stderr);
    const suggested = JSON.parse(stdout);
    const allowed = (action) => suggested.Statement.find(({ Action }) => [Action].flat().includes(action));
    assert.deepEqual([allowed('lambda:InvokeFunction').Resource, allowed('lambda:ListFunctions').Resource, allowed('iam:PassRole').Condition],
        [hello, '*', { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }]);
    assert.equal(allowed('lambda:InvokeFunction'), allowed('lambda:GetFunctionConfiguration'), 'the same resource: one statement');
    assert.deepEqual(allowed('execute-api:Invoke').Resource, ['a', 'b', 'c'].map((name) => `arn:aws:execute-api:${region}:${account}:${made.id}/dev/GET/x/${name}`));
    const wide = JSON.parse((await cli(server, ['policy', 'suggest', 'robot', '--wildcards'])).stdout);
    assert.equal(wide.Statement.find(({ Action }) => Action === 'execute-api:Invoke').Resource, `arn:aws:execute-api:${region}:${account}:${made.id}/dev/GET/x/*`);
    assert.equal(wide.Statement.find(({ Action }) => [Action].flat().includes('lambda:InvokeFunction')).Resource, hello, 'one of a kind stays as it was');

    await iam.putUserPolicy({ UserName: 'robot', PolicyName: 'suggested', PolicyDocument: stdout });
    server.args = ['--enforce'];
    await server.restart('SIGTERM');
    server.credentials = rootKey(server);
    assert.match(server.log(), /"enforced":"every signature and every policy/);
    await traffic();
    const refused = (error) => /^AccessDenied/.test(error.name);
    await assert.rejects(as(server, lambdaSdk, robot).getFunction({ FunctionName: 'hello' }), refused, 'an action that was not seen');
    await assert.rejects(as(server, iamSdk, robot).getUser({ UserName: 'other' }), refused, 'a resource that was not seen');
    const enforced = await denials(server, 'robot');
    assert.deepEqual(enforced.denials.filter((one) => one.refused).map(({ action, wouldBe }) => [action, wouldBe]).sort(), [['iam:GetUser', 0], ['lambda:GetFunction', 0]]);
    // What was refused for good is not what it needs.
    assert.doesNotMatch((await cli(server, ['policy', 'suggest', 'user/robot'])).stdout, /GetFunction"|user\/other/);
    server.args = ['--enforce=soft'];
    server.credentials = undefined;
    await server.restart('SIGTERM');
});

test('what an allow does not lift is said', async () => {
    const iam = as(server, iamSdk);
    const bound = await user(server, 'bound', policy({ Effect: 'Deny', Action: 'iam:ListUsers', Resource: '*' }));
    await as(server, iamSdk, bound).listUsers();
    const { denials: rows } = await denials(server, 'bound');
    assert.match(rows[0].reason, /^denied by statement 1 of identity-based policy own/);
    const { stderr, stdout } = await cli(server, ['policy', 'suggest', 'bound']);
    assert.match(stderr, /iam:ListUsers on \*: denied by statement 1 .*allowing it here does not lift that/);
    assert.equal(JSON.parse(stdout).Statement[0].Action, 'iam:ListUsers');
});

test('trust is no matter of softness, nor are signatures', async () => {
    const iam = as(server, iamSdk);
    const ann = await user(server, 'ann');
    await iam.createRole({ RoleName: 'shut', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }) });
    await assert.rejects(as(server, stsSdk, ann).assumeRole({ RoleArn: `arn:aws:iam::${account}:role/shut`, RoleSessionName: 'one' }), { name: 'AccessDenied' });
    await assert.rejects(as(server, iamSdk, { ...ann, secretAccessKey: 'wrong' }).listUsers(), { name: 'SignatureDoesNotMatch' });
});

test('who may ask', async () => {
    const nobody = await user(server, 'nobody');
    const of = (name, query = '') => signed(`${server.url}/_gatehouse/policy/${name}${query}`, nobody, { service: 'iam' });
    server.args = ['--enforce'];
    await server.restart('SIGTERM');
    server.credentials = rootKey(server);
    assert.equal((await of('denials')).status, 403);
    assert.equal((await of('suggest', '?principal=nobody')).status, 403);
    assert.equal((await fetch(`${server.url}/_gatehouse/policy/suggest?principal=nobody`)).status, 200, 'dev mode: this machine may');
    const missing = await cli(server, ['policy', 'suggest', 'role/none']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /No user and no role of this account is called role\/none/);
});

test('serve mode enforces, and says so', async () => {
    const { code, stderr } = await run(binary(), ['serve', '--enforce=soft', '--data', `${server.data}-none`]);
    assert.equal(code, 1);
    assert.match(stderr, /--enforce=soft is for dev mode/);
});
