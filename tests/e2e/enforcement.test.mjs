// Every operation asks: nobody without a policy gets in, whoever may do exactly this on exactly that does. Made
// from the table of operations, so that a new operation is in it from its first day.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iamSdk from '@aws-sdk/client-iam';
import * as stsSdk from '@aws-sdk/client-sts';

import { api, mock } from './support/apis.mjs';
import { account, binary, region, rootKey, run, start } from './support/harness.mjs';
import { allOperations } from './support/operations.mjs';
import { signed } from './support/sign.mjs';

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, Resource) => policy({ Effect: 'Allow', Action, Resource });
const short = (sdk, client) => new Proxy({}, { get: (_, name) => (input = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)) });
const keysOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
const iamOf = (server, credentials) => short(iamSdk, server.client(iamSdk.IAMClient, credentials && { credentials }));
const stsOf = (server, credentials) => short(stsSdk, server.client(stsSdk.STSClient, credentials && { credentials }));

async function user(server, UserName, document) {
    const iam = iamOf(server);
    const { User } = await iam.createUser({ UserName });
    if (document) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: document });
    return { ...keysOf((await iam.createAccessKey({ UserName })).AccessKey), arn: User.Arn };
}

// What a call must name so that its resource is known. Everything else is left out: permission is asked before
// the values are checked, so whoever may goes on to a complaint about those.
const numbers = new Set(['VersionNumber']);
function valueOf(member, { service, x = 'x' }) {
    const arns = { iam: `arn:aws:iam::${account}:policy/${x}`, lambda: `arn:aws:lambda:${region}:${account}:function:${x}`, sts: `arn:aws:iam::${account}:role/${x}`,
        'cognito-idp': `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_${x}`, 'cognito-identity': `arn:aws:cognito-identity:${region}:${account}:identitypool/${x}`,
        apigateway: `arn:aws:apigateway:${region}::/restapis/${x}`, apigatewayv2: `arn:aws:apigateway:${region}::/apis/${x}` };
    if (member === 'SerialNumber') return `arn:aws:iam::${account}:mfa/${x}`;
    if (member === 'TargetPrincipal') return x === 'x' ? account : '111111111111';
    return numbers.has(member) ? (x === 'x' ? 3 : 4) : /Arn$|ARN$|^Resource$/i.test(member) ? arns[service] : member === 'Url' ? `https://${x}.example` : x;
}
// The resource, as wire/resource.c makes it of the pattern and these values.
function resourceOf(operation) {
    let text = operation.arn.split('|')[0].replace(/\[[^\]]*\]/g, '').replace('{p}', 'aws').replace('{r}', region).replace('{a}', account).replace('{Path}', '/');
    for (const [whole, encoded, member] of text.matchAll(/\{(%?)([\w-]+)\}/g)) {
        const value = String(valueOf(member, operation)).replace('https://', '');
        text = encoded ? text.replace(whole, encodeURIComponent(value)) : value.startsWith('arn:') ? value + text.slice(text.indexOf(whole) + whole.length) : text.replace(whole, value);
    }
    return text;
}
function requestOf(operation) {
    const members = [...new Set([...operation.arn.matchAll(/\{%?([A-Za-z]{2,})\}/g)].map(([, member]) => member))].filter((member) => member !== 'Path' && !operation.arn.includes(`{${member}}]`));
    const input = Object.fromEntries(members.map((member) => [member, valueOf(member, operation)]));
    if (operation.protocol === 'json')
        return { path: '/', method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${operation.target}.${operation.name}` }, body: JSON.stringify(input) };
    if (operation.protocol === 'query') {
        const Version = operation.service === 'iam' ? '2010-05-08' : '2011-06-15';
        return { path: '/', method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ Action: operation.name, Version, ...input }).toString() };
    }
    const path = operation.path.replace(/\{([\w-]+)\+?\}/g, (_, label) => encodeURIComponent(valueOf(operation.labels[label] ?? label, operation)));
    const inBody = Object.fromEntries(members.filter((member) => !Object.values(operation.labels).includes(member)).map((member) => [member, input[member]]));
    const query = [operation.path.includes('?') ? '' : operation.query, ...Object.keys(inBody).map((member) => `${member}=${encodeURIComponent(input[member])}`)].filter(Boolean).join('&');
    return { path: query ? `${path}${path.includes('?') ? '&' : '?'}${query}` : path, method: operation.method, headers: operation.method === 'GET' ? {} : { 'content-type': 'application/json' }, body: operation.method === 'GET' || operation.method === 'DELETE' ? undefined : JSON.stringify(inBody) };
}
// An answer's error, whatever its protocol: [status, code, message].
async function answerOf(operation, answer) {
    const text = await answer.text();
    if (operation.protocol === 'query')
        return [answer.status, /<Code>([^<]*)/.exec(text)?.[1] ?? '', (/<Message>([^<]*)/.exec(text)?.[1] ?? '').replaceAll('&apos;', "'").replaceAll('&quot;', '"')];
    let json = {};
    try {
        json = JSON.parse(text);
    } catch {
        // an answer that is no document
    }
    return [answer.status, (answer.headers.get('x-amzn-errortype') ?? json.__type ?? '').split(':')[0], json.message ?? json.Message ?? ''];
}
async function inGroups(list, size, work) {
    const queue = [...list];
    await Promise.all(Array.from({ length: size }, async () => {
        for (let next; (next = queue.shift());) await work(next);
    }));
}
const send = async (server, operation, credentials) => {
    const { path, ...options } = requestOf(operation);
    return answerOf(operation, await signed(server.url + path, credentials, { service: operation.signing, region, ...options }));
};

let server, built;
test.before(async () => {
    server = await start(null, { args: ['--enforce'] });
    server.credentials = rootKey(server);
    const { stdout } = await run(binary(), ['capabilities']);
    const capabilities = JSON.parse(stdout).services;
    built = allOperations().filter(({ service, name }) => capabilities[service].built.includes(name));
});
test.after(() => server.discard());

const byTrust = ({ name }) => name === 'AssumeRole'; // a role's trust policy may let in whom nothing else does

test('nobody without a policy is let in, at no operation', async () => {
    const nobody = await user(server, 'nobody');
    const asking = built.filter((operation) => !operation.unsigned && !operation.free && !byTrust(operation));
    assert.ok(asking.length > 300, `${asking.length}`);
    const wrong = [];
    await inGroups(asking, 8, async (operation) => {
        const [status, code, message] = await send(server, operation, nobody);
        const expected = { query: [403, 'AccessDenied'], json: [400, 'AccessDeniedException'], 'rest-json': [403, 'AccessDeniedException'] }[operation.protocol];
        const words = `User: ${nobody.arn} is not authorized to perform: ${operation.action} on resource: `;
        const reason = ` because no identity-based policy allows the ${operation.action} action`;
        const rest = message.startsWith(words) && message.endsWith(reason) ? message.slice(words.length, -reason.length) : null;
        const resource = operation.service === 'iam' || operation.service === 'sts' ? rest : resourceOf(operation);
        if (status !== expected[0] || code !== expected[1] || rest === null || rest !== resource) wrong.push([operation.service, operation.name, status, code, message, resourceOf(operation)]);
    });
    assert.deepEqual(wrong, []);
});

test('exactly this action on exactly that resource is enough, another resource is not', async () => {
    const iam = iamOf(server);
    const trust = policy({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Principal: { AWS: account } });
    const { Role } = await iam.createRole({ RoleName: 'subject', AssumeRolePolicyDocument: trust });
    await iam.putRolePolicy({ RoleName: 'subject', PolicyName: 'all', PolicyDocument: allow('*', '*') });
    const maker = stsOf(server, await user(server, 'maker', allow('sts:AssumeRole', Role.Arn)));
    const session = async (Policy) => keysOf((await maker.assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'exact', Policy })).Credentials);
    // Of the session, the operation itself refuses what has nothing to do with policies.
    const own = { 'iam.ChangePassword': 'on the caller, and a session is no user', 'iam.GetAccessKeyLastUsed': 'likewise', 'sts.GetFederationToken': 'roles may not call it', 'iam.DeleteRole': 'would end the sessions' };
    const asking = built.filter((operation) => !operation.unsigned && !operation.free && !byTrust(operation) && !own[`${operation.service}.${operation.name}`]);
    const wrong = [];
    // One session for several operations, as long as none of them allows what another one asks for.
    const sessions = [];
    for (const operation of asking) {
        const resource = operation.arn.split('|')[0] === '*' ? '*' : resourceOf(operation);
        const one = { Action: operation.action, Resource: resource }, stranger = resourceOf({ ...operation, x: 'y' });
        const fits = (group) => group.length < 10 && group.every(({ allowed }) => allowed.Action !== one.Action || (allowed.Resource !== '*' && one.Resource !== '*' && allowed.Resource !== stranger));
        let group = sessions.find(fits);
        if (!group) sessions.push((group = []));
        group.push({ operation, resource, allowed: one });
    }
    for (const group of sessions) {
        const keys = session(policy(...group.map(({ allowed }) => ({ Effect: 'Allow', ...allowed }))));
        for (const one of group) one.keys = keys;
    }
    await inGroups(sessions.flat(), 8, async (one) => {
        const { operation, resource } = one;
        const keys = await one.keys;
        const [, code, message] = await send(server, operation, keys);
        if (/AccessDenied|MissingAuth|Unrecognized|InvalidClient/.test(code)) wrong.push([operation.service, operation.name, 'refused', resource, message]);
        if (resource === '*' || resource === resourceOf({ ...operation, x: 'y' })) return; // one for all
        const [, other] = await send(server, { ...operation, x: 'y' }, keys);
        if (!/^AccessDenied/.test(other)) wrong.push([operation.service, operation.name, 'let in', resource, other]);
    });
    assert.deepEqual(wrong, []);
});

test('operations without signature stay so, all others want one', async () => {
    const wrong = [];
    await inGroups(built, 8, async (operation) => {
        const { path, ...options } = requestOf(operation);
        const [status, code] = await answerOf(operation, await fetch(server.url + path, { ...options, headers: { ...options.headers, host: undefined } }));
        const refused = /MissingAuthenticationToken|AccessDenied/.test(code);
        if (operation.unsigned ? refused : !refused) wrong.push([operation.service, operation.name, status, code]);
    });
    // Without a signature nothing says for whom "/" and the paths of several services are: the plainest of them answers.
    assert.deepEqual(wrong, []);
});

// Credentials of somebody who did not sign in, in a role of an identity pool.
async function guestsOf(server, document) {
    const plain = async (name, body, credentials) => {
        const options = { method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityService.${name}` }, body: JSON.stringify(body) };
        const answer = await (credentials ? signed(server.url, credentials, { service: 'cognito-identity', region, ...options }) : fetch(server.url, options));
        return answer.json();
    };
    const iam = iamOf(server);
    const trust = policy({ Effect: 'Allow', Action: 'sts:AssumeRoleWithWebIdentity', Principal: { Federated: 'cognito-identity.amazonaws.com' } });
    const { Role } = await iam.createRole({ RoleName: 'guest', AssumeRolePolicyDocument: trust });
    await iam.putRolePolicy({ RoleName: 'guest', PolicyName: 'own', PolicyDocument: document });
    const { IdentityPoolId } = await plain('CreateIdentityPool', { IdentityPoolName: 'guests', AllowUnauthenticatedIdentities: true }, server.credentials);
    await plain('SetIdentityPoolRoles', { IdentityPoolId, Roles: { unauthenticated: Role.Arn } }, server.credentials).catch(() => {});
    const { IdentityId } = await plain('GetId', { IdentityPoolId });
    const { Credentials } = await plain('GetCredentialsForIdentity', { IdentityId });
    return { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretKey, sessionToken: Credentials.SessionToken };
}

// The data plane, and every kind of principal that there is.
test('whoever calls an API or a function is asked the same way', async (t) => {
    const iam = iamOf(server);
    const made = await api(server, { 'GET /in': { method: { authorizationType: 'AWS_IAM' }, integration: mock }, 'GET /out': { method: { authorizationType: 'AWS_IAM' }, integration: mock } });
    const arn = (path) => `arn:aws:execute-api:${region}:${account}:${made.id}/dev/GET/${path}`;
    const invoke = allow('execute-api:Invoke', arn('in'));
    const trusting = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: account } });
    const { Role } = await iam.createRole({ RoleName: 'caller', AssumeRolePolicyDocument: trusting });
    await iam.putRolePolicy({ RoleName: 'caller', PolicyName: 'own', PolicyDocument: invoke });
    const ann = await user(server, 'ann', policy({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:GetFederationToken'], Resource: '*' }, JSON.parse(invoke).Statement[0]));
    const sts = stsOf(server, ann);
    const principals = {
        user: ann,
        'role session': keysOf((await sts.assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'one' })).Credentials),
        'GetSessionToken session': keysOf((await sts.getSessionToken({})).Credentials),
        'federated session': keysOf((await sts.getFederationToken({ Name: 'guest', Policy: invoke })).Credentials),
    };
    principals['identity pool session'] = await guestsOf(server, invoke);
    const without = {
        'a user without policies': await user(server, 'ben'),
        'a role session narrowed': keysOf((await sts.assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'two', Policy: allow('iam:GetUser', '*') })).Credentials),
        'a federated session without policy': keysOf((await sts.getFederationToken({ Name: 'guest' })).Credentials),
    };
    const status = async (path, keys) => (await signed(`${made.url}/${path}`, keys)).status;
    for (const [name, keys] of Object.entries(principals)) {
        assert.equal(await status('in', keys), 200, `${name}, in`);
        assert.equal(await status('out', keys), 403, `${name}, out`);
    }
    for (const [name, keys] of Object.entries(without)) assert.equal(await status('in', keys), 403, name);
    assert.equal(await status('in', server.credentials), 200, 'root');
    assert.equal(await status('in', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' }), 403, 'a key that was never issued');
    assert.equal((await fetch(`${made.url}/in`)).status, 403, 'nobody');
});

test('a role is passed by whoever may, to the service that it is for', async () => {
    const iam = iamOf(server);
    const role = (await iam.createRole({ RoleName: 'worker', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: ['lambda.amazonaws.com', 'cognito-idp.amazonaws.com', 'apigateway.amazonaws.com'] } }) })).Role.Arn;
    const foreign = 'arn:aws:iam::999999999999:role/worker';
    const rest = policy({ Effect: 'Allow', NotAction: 'iam:PassRole', Resource: '*' });
    const may = (Condition) => policy({ Effect: 'Allow', NotAction: 'iam:PassRole', Resource: '*' }, { Effect: 'Allow', Action: 'iam:PassRole', Resource: role, Condition });
    const eve = await user(server, 'eve', rest);
    const as = (document) => iam.putUserPolicy({ UserName: 'eve', PolicyName: 'own', PolicyDocument: document });
    const json = async (service, target, body) => answerOf({ protocol: 'json' }, await signed(server.url, eve, { service, region, method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }, body: JSON.stringify(body) }));
    const restful = async (service, path, body) => answerOf({ protocol: 'rest-json' }, await signed(server.url + path, eve, { service, region, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }));
    const idp = (name, body) => json('cognito-idp', `AWSCognitoIdentityProviderService.${name}`, body);
    const UserPoolId = `${region}_none00000`;
    const rows = [
        ['lambda.amazonaws.com', 'CreateFunction', (Role) => restful('lambda', '/2015-03-31/functions', { FunctionName: 'f', Role })],
        ['cognito-idp.amazonaws.com', 'CreateUserPool', (SnsCallerArn) => idp('CreateUserPool', { SmsConfiguration: { SnsCallerArn } })],
        ['cognito-idp.amazonaws.com', 'UpdateUserPool', (SnsCallerArn) => idp('UpdateUserPool', { UserPoolId, SmsConfiguration: { SnsCallerArn } })],
        ['cognito-idp.amazonaws.com', 'SetUserPoolMfaConfig', (SnsCallerArn) => idp('SetUserPoolMfaConfig', { UserPoolId, SmsMfaConfiguration: { SmsConfiguration: { SnsCallerArn } } })],
        ['cognito-idp.amazonaws.com', 'CreateGroup', (RoleArn) => idp('CreateGroup', { UserPoolId, GroupName: 'g', RoleArn })],
        ['cognito-idp.amazonaws.com', 'UpdateGroup', (RoleArn) => idp('UpdateGroup', { UserPoolId, GroupName: 'g', RoleArn })],
        ['cognito-idp.amazonaws.com', 'CreateUserImportJob', (CloudWatchLogsRoleArn) => idp('CreateUserImportJob', { UserPoolId, JobName: 'j', CloudWatchLogsRoleArn })],
    ];
    if (built.some(({ name }) => name === 'SetIdentityPoolRoles'))
        rows.push(['cognito-identity.amazonaws.com', 'SetIdentityPoolRoles', (arn) => json('cognito-identity', 'AWSCognitoIdentityService.SetIdentityPoolRoles', { IdentityPoolId: `${region}:12345678-1234-1234-1234-123456789012`, Roles: { authenticated: arn } })]);
    const denial = `User: ${eve.arn} is not authorized to perform: iam:PassRole on resource: ${role} because no identity-based policy allows the iam:PassRole action`;
    for (const [service, name, call] of rows) {
        await as(rest);
        assert.deepEqual((await call(role)).slice(1), ['AccessDeniedException', denial], name);
        await as(may({ StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }));
        assert.deepEqual((await call(role)).slice(1), ['AccessDeniedException', denial], `${name}, to another service`);
        await as(may({ StringEquals: { 'iam:PassedToService': service } }));
        assert.doesNotMatch((await call(role))[1], /AccessDenied/, name);
        assert.deepEqual((await call(foreign)).slice(1), ['AccessDeniedException', 'Cross-account pass role is not allowed.'], name);
    }
    const associated = (arn) => as(may({ ArnLike: { 'iam:AssociatedResourceArn': arn } }));
    await associated(`arn:aws:lambda:*:${account}:function:g*`);
    assert.equal((await rows[0][2](role))[2], denial);
    await associated(`arn:aws:lambda:*:${account}:function:f*`);
    assert.doesNotMatch((await rows[0][2](role))[1], /AccessDenied/);
});
