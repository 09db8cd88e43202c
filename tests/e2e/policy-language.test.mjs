// The policy language over the wire: what IAM says of documents that will not do, and what signed requests to an
// API get whose policies use what is easily missed. (Decisions in all their variety: unit, test_policy_*.)
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';

import { api } from './support/apis.mjs';
import { account, region, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const document = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (more) => ({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*', ...more });

test('policies', async (t) => {
    const server = await start(t);
    const guarded = { method: { authorizationType: 'AWS_IAM' } };
    const one = await api(server, { 'GET /a': guarded, 'GET /a/b/c': guarded, 'POST /a': guarded });
    const arn = (rest) => `arn:aws:execute-api:${region}:${account}:${one.id}/${rest}`;
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));

    // c25: explicit deny, NotAction and NotResource, IfExists, stars across slashes, case of actions, stars in values.
    const rows = [
        ['deny', [allow(), { ...allow({ Resource: arn('dev/GET/a') }), Effect: 'Deny' }], { 'GET /a': 'deny', 'GET /a/b/c': 'yes' }],
        ['not-action', [allow({ Action: undefined, NotAction: ['iam:*', 's3:*'] })], { 'GET /a': 'yes' }],
        ['not-action-here', [allow({ Action: undefined, NotAction: 'execute-api:*' })], { 'GET /a': 'no' }],
        ['not-resource', [allow({ Resource: undefined, NotResource: arn('dev/POST/*') })], { 'GET /a': 'yes', 'POST /a': 'no' }],
        ['missing', [allow({ Condition: { StringEquals: { 'aws:PrincipalTag/team': 'pets' } } })], { 'GET /a': 'no' }],
        ['if-exists', [allow({ Condition: { StringEqualsIfExists: { 'aws:PrincipalTag/team': 'pets' } } })], { 'GET /a': 'yes' }],
        ['slashes', [allow({ Resource: arn('dev/GET/*/c') })], { 'GET /a/b/c': 'yes', 'GET /a': 'no' }],
        ['case', [allow({ Action: 'Execute-Api:INVOKE', Resource: arn('dev/GET/a') })], { 'GET /a': 'yes', 'POST /a': 'no' }],
        ['star-in-value', [allow({ Resource: arn('dev/${aws:UserAgent}') })], { 'GET /a': 'no', 'GET /a/b/c': 'no' }, '*'],
        ['value', [allow({ Resource: arn("dev/${aws:UserAgent, 'none'}") })], { 'GET /a': 'yes', 'GET /a/b/c': 'no' }, 'GET/a'],
        // so many statements that the index has the word
        ['many', [...Array.from({ length: 20 }, (_, i) => ({ Effect: 'Allow', Action: 'a:B', Resource: `arn:aws:s3:::${i}` })), allow({ Resource: arn('dev/GET/a') })], { 'GET /a': 'yes', 'GET /a/b/c': 'no' }],
    ];
    for (const [name, statements, answers, agent = 'test'] of rows) {
        await t.test(name, async () => {
            await send('CreateUser', { UserName: name });
            await send('PutUserPolicy', { UserName: name, PolicyName: name, PolicyDocument: document(...statements) });
            const { AccessKey } = await send('CreateAccessKey', { UserName: name });
            for (const [key, answer] of Object.entries(answers)) {
                const [method, path] = key.split(' ');
                const got = await signed(one.url + path, { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }, { method, headers: { 'user-agent': agent }, ...(method === 'POST' && { body: '{}' }) });
                const text = await got.text();
                assert.equal(got.status, answer === 'yes' ? 200 : 403, `${key}: ${text}`);
                if (answer === 'no') assert.match(text, /not authorized to perform: execute-api:Invoke on resource: .* because no identity-based policy allows/);
                if (answer === 'deny') assert.match(text, /with an explicit deny in an identity-based policy/);
            }
        });
    }

    const malformed = [
        ['an abyss', '['.repeat(100_000), 'Syntax errors in policy.'],
        ['a name twice', '{"Version":"2012-10-17","Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:B","Resource":"*"}}', 'Syntax errors in policy.'],
        ['an unknown operator', document(allow({ Condition: { StringSoundsLike: { k: 'v' } } })), 'Syntax errors in policy.'],
        ['a wrong type', document(allow({ Action: { a: 1 } })), 'Syntax errors in policy.'],
        ['an old version', JSON.stringify({ Statement: allow() }), 'Policy document must be version 2012-10-17 or greater.'],
        ['a principal', document(allow({ Principal: '*' })), 'Policy document should not specify a principal.'],
        ['no vendor', document(allow({ Action: 'Invoke' })), 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'],
        ['no ARN', document(allow({ Resource: 'here' })), 'Resource here must be in ARN format or "*".'],
    ];
    for (const [name, PolicyDocument, message] of malformed)
        await t.test(`MalformedPolicyDocument: ${name}`, () => assert.rejects(send('CreatePolicy', { PolicyName: 'bad', PolicyDocument }), { name: 'MalformedPolicyDocumentException', message }));
    await t.test('100 KB of stars is too much, soon', async () => {
        await assert.rejects(send('CreatePolicy', { PolicyName: 'stars', PolicyDocument: document(allow({ Resource: `arn:aws:s3:::${'*a*a*b'.repeat(17_000)}` })) }),
            { name: 'LimitExceededException', message: 'Cannot exceed quota for PolicySize: 6144' });
    });
    const trust = [
        ['a group', { AWS: `arn:aws:iam::${account}:group/g` }, `Invalid principal in policy: "AWS":"arn:aws:iam::${account}:group/g"`],
        ['a user who is not there', { AWS: `arn:aws:iam::${account}:user/nobody` }, `Invalid principal in policy: "AWS":"arn:aws:iam::${account}:user/nobody"`],
        ['no service', { Service: 'lambda' }, 'Invalid principal in policy: "SERVICE":"lambda"'],
        ['no provider', { Federated: 'google' }, 'Federated principals must be valid domain names or SAML metadata ARNs'],
    ];
    for (const [name, Principal, message] of trust)
        await t.test(`a trust policy names ${name}`, () => assert.rejects(send('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }) }),
            { name: 'MalformedPolicyDocumentException', message }));

    // "The principal ID appears in the policy … because AWS can no longer map it back to a valid ARN."
    await t.test('a trust policy means a user, not his name', async () => {
        const named = async () => JSON.parse(decodeURIComponent((await send('GetRole', { RoleName: 'trusts' })).Role.AssumeRolePolicyDocument)).Statement[0].Principal.AWS;
        const keysOf = async (UserName) => {
            const { AccessKey } = await send('CreateAccessKey', { UserName });
            return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
        };
        const assume = (credentials) => server.client(STSClient, { credentials }).send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${account}:role/trusts`, RoleSessionName: 'test' }));
        const trusting = (AWS) => document({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' });
        const { User } = await send('CreateUser', { UserName: 'first' });
        await send('CreateRole', { RoleName: 'trusts', AssumeRolePolicyDocument: trusting(User.Arn) });
        await send('UpdateUser', { UserName: 'first', NewUserName: 'renamed', NewPath: '/staff/' });
        assert.equal(await named(), `arn:aws:iam::${account}:user/staff/renamed`);
        const keys = await keysOf('renamed');
        assert.ok((await assume(keys)).Credentials);
        await send('DeleteAccessKey', { UserName: 'renamed', AccessKeyId: keys.accessKeyId });
        await send('DeleteUser', { UserName: 'renamed' });
        assert.equal(await named(), User.UserId);
        await send('CreateUser', { UserName: 'renamed', Path: '/staff/' });
        await assert.rejects(async () => assume(await keysOf('renamed')), { name: 'AccessDenied' });
        await assert.rejects(send('UpdateAssumeRolePolicy', { RoleName: 'trusts', PolicyDocument: trusting(User.UserId) }),
            { name: 'MalformedPolicyDocumentException', message: `Invalid principal in policy: "AWS":"${User.UserId}"` });
    });
});
