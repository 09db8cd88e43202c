// Every operation asks: nobody without a policy gets in, whoever may do exactly this on exactly that does. Made
// from the table of operations, so that a new operation is in it from its first day.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iamSdk from '@aws-sdk/client-iam';
import * as stsSdk from '@aws-sdk/client-sts';

import { allowApis, api, control, fn, functions, lambdaProxy, mock } from './support/apis.mjs';
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
function valueOf(member, { service }) {
    const arns = { iam: `arn:aws:iam::${account}:thing/x`, lambda: `arn:aws:lambda:${region}:${account}:function:x`, sts: `arn:aws:iam::${account}:role/subject`,
        'cognito-idp': `arn:aws:cognito-idp:${region}:${account}:userpool/${region}_x`, 'cognito-identity': `arn:aws:cognito-identity:${region}:${account}:identitypool/x`,
        apigateway: `arn:aws:apigateway:${region}::/restapis/x`, apigatewayv2: `arn:aws:apigateway:${region}::/apis/x` };
    if (member === 'TargetPrincipal') return '000000000000';
    return numbers.has(member) ? 3 : /Arn$|ARN$|^Resource$/i.test(member) ? arns[service] : member === 'Url' ? 'https://id.example' : 'x';
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
    const query = [operation.path.includes('?') ? '' : operation.query, ...members.filter((member) => /^(Arn)$/.test(member)).map((member) => `${member}=${encodeURIComponent(input[member])}`)].filter(Boolean).join('&');
    return { path: query ? `${path}${path.includes('?') ? '&' : '?'}${query}` : path, method: operation.method, headers: operation.method === 'GET' ? {} : { 'content-type': 'application/json' }, body: operation.method === 'GET' || operation.method === 'DELETE' ? undefined : '{}' };
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
    server = await start(null, { args: ['--enforce', 'true'] });
    server.credentials = rootKey(server);
    const { stdout } = await run(binary(), ['capabilities']);
    const capabilities = JSON.parse(stdout).services;
    built = allOperations().filter(({ service, name }) => capabilities[service].built.includes(name));
});
test.after(() => server.discard());

test('nobody without a policy is let in, at no operation', async () => {
    const nobody = await user(server, 'nobody');
    const asking = built.filter(({ unsigned, free }) => !unsigned && !free);
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
    const session = async (Policy) => keysOf((await maker.assumeRole({ RoleArn: Role.Arn, RoleSessionName: 's', Policy })).Credentials);
    // Of the session, the operation itself refuses what has nothing to do with policies.
    const own = { 'sts.GetFederationToken': 'roles may not call it', 'iam.DeleteRole': 'would end the sessions' };
    const asking = built.filter(({ unsigned, free, service, name }) => !unsigned && !free && !own[`${service}.${name}`]);
    const wrong = [];
    await inGroups(asking, 8, async (operation) => {
        const resource = operation.arn.split('|')[0] === '*' ? '*' : resourceOf(operation);
        const [, code, message] = await send(server, operation, await session(allow(operation.action, resource)));
        if (/AccessDenied|MissingAuth|Unrecognized|InvalidClient/.test(code)) wrong.push([operation.service, operation.name, 'refused', resource, message]);
        if (resource === '*') return;
        const [, other] = await send(server, operation, await session(allow(operation.action, `${resource}z`)));
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
