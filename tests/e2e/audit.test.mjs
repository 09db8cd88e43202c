// The audit log: what a call's record says, what it never says, who may read it, and that nothing is done unrecorded.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { APIGatewayClient, CreateApiKeyCommand, CreateRestApiCommand } from '@aws-sdk/client-api-gateway';
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, DeleteUserCommand, GetUserCommand, IAMClient, ListUsersCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { account, binary, request, run, scratch, start } from './support/harness.mjs';
import { PASSWORD, addUser, poolOf, refused, signIn } from './support/people.mjs';
import { signed } from './support/sign.mjs';

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';
const test_key = { accessKeyId: 'test', secretAccessKey: 'test' };
const folder = (server) => path.join(server.data, 'audit');
const files = (server) => fs.readdirSync(folder(server)).filter((name) => name.endsWith('.jsonl')).sort();
const text = (server) => files(server).map((name) => fs.readFileSync(path.join(folder(server), name), 'utf8')).join('');
async function lookup(server, query, credentials = test_key) {
    const answer = await signed(`${server.url}/_gatehouse/audit?${new URLSearchParams(query)}`, credentials, { service: 'iam' });
    const body = await answer.json().catch(() => null);
    return { status: answer.status, ...body };
}
const found = async (server, query) => (await lookup(server, query)).events;
const newest = async (server, query) => (await found(server, { ...query, limit: 1 }))[0];
const verified = async (server, ...args) => run(binary(), ['audit', 'verify', '--json', ...args], { env: { AWS_ENDPOINT_URL: server.url } });
const whole = async (server, ...args) => {
    const { code, stdout, stderr } = await verified(server, ...args);
    assert.equal(code, 0, stdout + stderr);
    return JSON.parse(stdout);
};
const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] }] });
const policy = (...Action) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Some', Effect: 'Allow', Action, Resource: '*' }] });

test('records', async (t) => {
    const server = await start(t, { args: ['--enforce'], mode: 'dev' });
    server.credentials = test_key;
    const open = await start(t);
    const iam = open.client(IAMClient), sts = open.client(STSClient);

    await t.test('a change: all that CloudTrail says of it', async () => {
        await iam.send(new CreateUserCommand({ UserName: 'bob', Path: '/team/', Tags: [{ Key: 'a', Value: 'b' }] }));
        const { sequence, previousHash, eventTime, eventID, requestID, userAgent, responseElements, ...rest } = await newest(open, { name: 'CreateUser' });
        assert.ok(Number.isInteger(sequence) && /^[0-9a-f]{64}$/.test(previousHash));
        assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.match(eventID, /^[0-9a-f-]{36}$/);
        assert.notEqual(eventID, requestID);
        assert.match(userAgent, /aws-sdk-js/);
        const { userId, createDate, ...user } = responseElements.user;
        assert.match(createDate, /^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M$/);
        assert.match(userId, /^AIDA/);
        assert.deepEqual(user, { path: '/team/', userName: 'bob', arn: `arn:aws:iam::${account}:user/team/bob`, tags: [{ key: 'a', value: 'b' }] });
        assert.deepEqual(rest, {
            eventVersion: '1.11',
            userIdentity: { type: 'Root', principalId: account, arn: `arn:aws:iam::${account}:root`, accountId: account, accessKeyId: 'test' },
            eventSource: 'iam.amazonaws.com', eventName: 'CreateUser', awsRegion: 'us-east-1', sourceIPAddress: '127.0.0.1',
            requestParameters: { path: '/team/', userName: 'bob', tags: [{ key: 'a', value: 'b' }] },
            readOnly: false, resources: [{ ARN: `arn:aws:iam::${account}:user/team/bob`, accountId: account }],
            eventType: 'AwsApiCall', managementEvent: true, recipientAccountId: account, eventCategory: 'Management',
        });
    });
    await t.test('a read says nothing of its answer; an error says its code and message', async () => {
        await iam.send(new GetUserCommand({ UserName: 'bob' }));
        const read = await newest(open, { name: 'GetUser' });
        assert.deepEqual([read.readOnly, read.responseElements, read.requestParameters], [true, null, { userName: 'bob' }]);
        await assert.rejects(iam.send(new DeleteUserCommand({ UserName: 'nobody' })));
        const failed = await newest(open, { name: 'DeleteUser' });
        assert.equal(failed.errorCode, 'NoSuchEntityException');
        assert.match(failed.errorMessage, /nobody cannot be found/);
        assert.equal(failed.responseElements, null);
    });
    await t.test('keys: ids and no secrets', async () => {
        const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }));
        const made = await newest(open, { name: 'CreateAccessKey' });
        assert.equal(made.responseElements.accessKey.accessKeyId, AccessKey.AccessKeyId);
        assert.equal(made.responseElements.accessKey.secretAccessKey, HIDDEN);
        await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust }));
        await iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'p', PolicyDocument: policy('sts:*') }));
        const bob = open.client(STSClient, { credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } });
        const { Credentials, AssumedRoleUser } = await bob.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${account}:role/r`, RoleSessionName: 's1', SourceIdentity: 'bobby' }));
        const assumed = await newest(open, { name: 'AssumeRole' });
        assert.deepEqual([assumed.userIdentity.type, assumed.userIdentity.userName, assumed.readOnly], ['IAMUser', 'bob', true]);
        assert.equal(assumed.responseElements.credentials.accessKeyId, Credentials.AccessKeyId);
        assert.equal(assumed.responseElements.assumedRoleUser.arn, AssumedRoleUser.Arn);
        assert.deepEqual((await found(open, { key: Credentials.AccessKeyId })).map((event) => event.eventName), ['AssumeRole']);
        const session = open.client(STSClient, { credentials: { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken } });
        await session.send(new GetCallerIdentityCommand({}));
        const { userIdentity } = await newest(open, { name: 'GetCallerIdentity' });
        assert.equal(userIdentity.type, 'AssumedRole');
        assert.match(userIdentity.principalId, /^AROA\w+:s1$/);
        const { sessionIssuer, attributes } = userIdentity.sessionContext;
        assert.deepEqual({ ...sessionIssuer, principalId: userIdentity.principalId.split(':')[0] }, sessionIssuer);
        assert.deepEqual([sessionIssuer.type, sessionIssuer.arn, sessionIssuer.userName], ['Role', `arn:aws:iam::${account}:role/r`, 'r']);
        assert.deepEqual([attributes.mfaAuthenticated, userIdentity.sessionContext.sourceIdentity], ['false', 'bobby']);
        for (const secret of [AccessKey.SecretAccessKey, Credentials.SecretAccessKey, Credentials.SessionToken]) assert.ok(!text(open).includes(secret));
    });
    await t.test('a denied call says which decision it was', async () => {
        const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'bob' }));
        const bob = open.client(IAMClient, { credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } });
        await assert.rejects(bob.send(new ListUsersCommand({})), { name: 'AccessDenied' });
        const denied = await newest(open, { error: 'AccessDenied*', principal: `arn:aws:iam::${account}:user/team/bob` });
        assert.equal(denied.errorCode, 'AccessDenied');
        const { policyDecision } = denied.additionalEventData;
        assert.deepEqual([policyDecision.decision, policyDecision.action], ['implicitDeny', 'iam:ListUsers']);
        assert.ok(policyDecision.reason.length > 10);
        assert.equal((await lookup(open, {}, { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey })).status, 403, 'nor may he read the log');
        assert.equal((await newest(open, { name: 'LookupEvents', error: '*' })).eventSource, 'cloudtrail.amazonaws.com');
        await iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'q', PolicyDocument: policy('cloudtrail:LookupEvents') }));
        assert.equal((await lookup(open, {}, { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey })).status, 200);
    });
    await t.test('who was not believed', async () => {
        await assert.rejects(server.client(IAMClient, { credentials: { accessKeyId: 'AKIAUNKNOWNUNKNOWN00', secretAccessKey: 'x' } }).send(new CreateUserCommand({ UserName: 'eve' })));
        await server.stop();
        const [event] = text(server).split('\n').filter((line) => line.includes('"eventName"')).map((line) => JSON.parse(line));
        assert.deepEqual(event.userIdentity, { type: 'Unknown', principalId: 'Anonymous', accessKeyId: 'AKIAUNKNOWNUNKNOWN00' });
        assert.deepEqual([event.eventName, event.errorCode, event.requestParameters], ['CreateUser', 'InvalidClientTokenId', null]);
    });
    await t.test('sign-ins: the user by sub, nothing of what he typed', async () => {
        const pool = await poolOf(open);
        await addUser(pool, 'ada', { email: 'ada@example.com' });
        const { AuthenticationResult } = await signIn(pool, 'ada');
        await refused(signIn(pool, 'ada', 'Not-the-one-1'), 'NotAuthorizedException');
        const [failed, good] = await found(open, { name: 'InitiateAuth' });
        const { UserAttributes } = await pool.api.getUser({ AccessToken: AuthenticationResult.AccessToken });
        const sub = UserAttributes.find(({ Name }) => Name === 'sub').Value;
        for (const event of [failed, good]) {
            assert.deepEqual(event.userIdentity, { type: 'Unknown', principalId: 'Anonymous' });
            assert.deepEqual(event.requestParameters, { authFlow: 'USER_PASSWORD_AUTH', authParameters: HIDDEN, clientId: pool.clientId });
            assert.deepEqual([event.additionalEventData.sub, event.readOnly, event.recipientAccountId], [sub, false, account]);
        }
        assert.deepEqual([failed.errorCode, failed.errorMessage, failed.responseElements], ['NotAuthorizedException', 'Incorrect username or password.', null]);
        assert.equal(good.responseElements.authenticationResult.accessToken, HIDDEN);
        assert.ok((await found(open, { principal: sub })).some((event) => event.eventName === 'GetUser'));
        await pool.api.createUserPoolClient({ UserPoolId: pool.poolId, ClientName: 'secret', GenerateSecret: true });
        await open.client(APIGatewayClient).send(new CreateApiKeyCommand({ name: 'k', value: 'an-api-key-that-nobody-shall-see', enabled: true }));
        const log = text(open);
        for (const secret of [PASSWORD, 'Not-the-one-1', AuthenticationResult.AccessToken, AuthenticationResult.RefreshToken, 'ada@example.com', 'an-api-key-that-nobody'])
            assert.ok(!log.includes(secret), secret);
    });
    await t.test('the link in a mail is a sign-in event of its own; its code is not written', async () => {
        const pool = await poolOf(open, { pool: { AutoVerifiedAttributes: ['email'], VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_LINK' } } });
        await pool.api.createUserPoolDomain({ UserPoolId: pool.poolId, Domain: 'links' }).catch(() => {});
        await pool.api.signUp({ ClientId: pool.clientId, Username: 'lin', Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: 'lin@example.com' }] });
        const { link } = (await open.outbox('lin@example.com')).at(-1);
        assert.equal((await request(link.replace(/^https?:\/\/[^/]+/, open.url))).status, 200);
        const [event] = await found(open, { name: 'ConfirmUser_GET' });
        assert.deepEqual([event.eventType, event.eventSource, event.userIdentity.type], ['AwsServiceEvent', 'cognito-idp.amazonaws.com', 'Unknown']);
        assert.match(event.additionalEventData.sub, /^[0-9a-f-]{36}$/);
        const code = new URL(link).searchParams.get('confirmation_code') ?? new URL(link).searchParams.get('code');
        assert.ok(code && !JSON.stringify(event).includes(code));
    });
    await t.test('API Gateway: path and body apart; an errand by what it is', async () => {
        const gateway = open.client(APIGatewayClient);
        await gateway.send(new CreateRestApiCommand({ name: 'shop' }));
        assert.deepEqual((await newest(open, { name: 'CreateRestApi' })).requestParameters, { createRestApiInput: { name: 'shop' } });
        const pool = await poolOf(open);
        const answer = await signed(`${open.url}/_gatehouse/user-pools/${pool.poolId}/options`, test_key, { service: 'cognito-idp', method: 'PATCH', body: '{}' });
        assert.ok(answer.status < 500);
        const errand = await newest(open, { name: 'UpdateUserPool' });
        assert.equal(errand.additionalEventData.request, `PATCH /_gatehouse/user-pools/${pool.poolId}/options`);
        assert.equal(errand.requestParameters.userPoolId, pool.poolId);
    });
    await t.test('hostile texts stay in their line; what is long is cut or left out', async () => {
        const before = text(open).split('\n').length;
        const evil = 'x\u0007\t{"eventName":"Forged"}\u001b[31m';
        await request(`${open.url}/`, { method: 'POST', headers: { 'user-agent': Buffer.from(`${evil.replace(/[\u0007\u001b]/g, '')}\xff\xfe`, 'latin1').toString('latin1'), 'content-type': 'application/x-www-form-urlencoded', authorization: 'AWS4-HMAC-SHA256 Credential=AKIA%0a/20250101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=00' }, body: 'Action=ListUsers&Version=2010-05-08' });
        await request(`${open.url}/restapis/a%0a%0d{"x":1}/none`, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=00' } });
        await assert.rejects(iam.send(new CreateUserCommand({ UserName: `a\n{"sequence":1}\n${'ü'.repeat(3000)}` })));
        await assert.rejects(iam.send(new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'big', PolicyDocument: JSON.stringify({ Version: 'x'.repeat(1 << 20) }) })));
        const big = await newest(open, { name: 'PutUserPolicy' });
        assert.equal(big.requestParameters.omitted, true);
        assert.ok(big.requestParameters.originalSize > 1 << 20);
        assert.match(big.requestParameters.reason, /requestParameters too large/);
        assert.ok(Buffer.byteLength(big.errorMessage) <= 1024);
        const lines = text(open).split('\n').filter(Boolean);
        assert.ok(lines.length >= before + 4);
        lines.forEach((line, i) => assert.equal(JSON.parse(line).sequence, i + 1));
        assert.ok(!lines.some((line) => JSON.parse(line).eventName === 'Forged'));
        // eslint-disable-next-line no-control-regex
        assert.ok(!/[\u0000-\u0009\u000b-\u001f]/.test(text(open)));
    });
    await t.test('search: combined, by time, page by page, refused when misspelt', async () => {
        await Promise.all(Array.from({ length: 25 }, (_, i) => iam.send(new CreateUserCommand({ UserName: `many-${i}` }))));
        const resource = (await found(open, { resource: `arn:aws:iam::${account}:user/many-7` }));
        assert.deepEqual(resource.map((event) => event.eventName), ['CreateUser']);
        const seen = [];
        for (let before; ;) {
            const page = await lookup(open, { name: 'CreateUser', resource: '*user/many-*', limit: 10, ...(before && { before }) });
            seen.push(...page.events);
            if (!(before = page.next)) break;
        }
        assert.equal(seen.length, 25);
        assert.deepEqual(seen.map((event) => event.sequence), seen.map((event) => event.sequence).sort((a, b) => b - a));
        const { eventTime, eventID } = seen[0];
        assert.equal((await found(open, { name: 'Create*', until: '2001-01-01' })).length, 0);
        assert.ok((await found(open, { since: eventTime, source: 'iam', error: '' })).length === 0, 'no error code is empty');
        assert.ok((await found(open, { since: eventTime, source: 'iam' })).some((event) => event.eventID === eventID));
        assert.equal((await found(open, { id: eventID })).length, 1);
        for (const query of [{ nmae: 'x' }, { limit: 0 }, { limit: 1001 }, { since: 'yesterday' }, { before: '-1' }]) assert.equal((await lookup(open, query)).status, 400, JSON.stringify(query));
        const cli = await run(binary(), ['audit', 'search', 'name=CreateUser', 'limit=3', '--table'], { env: { AWS_ENDPOINT_URL: open.url } });
        assert.equal(cli.stdout.trim().split('\n').length, 3, cli.stderr);
        const offline = await run(binary(), ['audit', 'search', 'name=CreateUser', '--all', '--dir', folder(open)]);
        assert.ok(offline.stdout.trim().split('\n').map(JSON.parse).length > 25);
    });
    await t.test('other accounts see their own', async () => {
        const other = { accessKeyId: '222222222222', secretAccessKey: 'x' };
        await open.client(IAMClient, { credentials: other }).send(new CreateUserCommand({ UserName: 'theirs' }));
        const events = (await lookup(open, {}, other)).events;
        assert.ok(events.length > 0 && events.every((event) => event.recipientAccountId === '222222222222'));
        assert.ok(!(await found(open, { limit: 1000 })).some((event) => event.recipientAccountId === '222222222222'));
    });
    await t.test('tail shows what comes, and not itself', async () => {
        const tail = spawn(binary(), ['audit', 'tail', 'name=CreateUser'], { env: { ...process.env, AWS_ENDPOINT_URL: open.url } });
        let out = '';
        const seen = new Promise((resolve) => tail.stdout.on('data', (piece) => {
            out += piece;
            if (out.includes('"tailed-2"')) resolve();
        }));
        await iam.send(new CreateUserCommand({ UserName: 'tailed-1' }));
        await iam.send(new CreateUserCommand({ UserName: 'tailed-2' }));
        await seen;
        tail.kill();
        assert.ok(!out.includes('LookupEvents'));
        assert.ok(out.includes('"tailed-1"'));
    });
    await t.test('a thousand at once make one chain', async () => {
        // Dev mode's root need not sign, and an SDK would be most of the time this takes.
        const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
        const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-amz-date': stamp, authorization: `AWS4-HMAC-SHA256 Credential=test/${stamp.slice(0, 8)}/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}` };
        const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
        const call = async (form) => assert.equal((await request(`${open.url}/`, { method: 'POST', headers, agent, body: `Version=2010-05-08&${form}` })).status, 200);
        await Promise.all(Array.from({ length: 20 }, async (_, c) => {
            for (let i = 0; i < 50; i++) await call(i % 2 ? 'Action=GetUser&UserName=bob' : `Action=CreateUser&UserName=c${c}-${i}`);
        }));
        agent.destroy();
        const report = await whole(open);
        assert.ok(report.checked > 1000);
        const metrics = await (await open.fetch('/_gatehouse/metrics')).text();
        const figure = (name) => Number(new RegExp(`^gatehouse_audit_${name} (\\d+)$`, 'm').exec(metrics)[1]);
        assert.ok(figure('records_total') > 1000 && figure('bytes_total') > 500000 && figure('lost_total') === 0);
        assert.ok(figure('syncs_total') < figure('records_total'), 'those that wait share');
    });
});

test('killed: what was acknowledged is recorded, and the chain goes on', { timeout: 60000 }, async (t) => {
    const server = await start(t);
    const acknowledged = [];
    for (let round = 0; round < 4; round++) {
        let going = true;
        const lanes = Array.from({ length: 6 }, (_, lane) => (async () => {
            const iam = server.client(IAMClient);
            for (let i = 0; going; i++) {
                const name = `k${round}-${lane}-${i}`;
                await iam.send(new CreateUserCommand({ UserName: name })).then(() => acknowledged.push(name), () => (going = false));
            }
        })());
        const goal = acknowledged.length + 25 + round * 7;
        while (acknowledged.length < goal && going) await new Promise((resolve) => setImmediate(resolve));
        await server.kill9();
        going = false;
        await Promise.all(lanes);
        await server.launch();
    }
    await server.client(IAMClient).send(new ListUsersCommand({}));
    await whole(server);
    const recorded = new Set(text(server).split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((event) => event.eventName === 'CreateUser' && !event.errorCode).map((event) => event.requestParameters.userName));
    assert.deepEqual(acknowledged.filter((name) => !recorded.has(name)), []);
    await server.stop();
    assert.equal((await run(binary(), ['audit', 'verify', '--dir', folder(server)])).code, 0);
});

test('a log that cannot be written: changes are refused, or counted', async (t) => {
    const place = scratch(t);
    const tight = (mode) => start(t, { args: ['--audit', mode, '--audit-dir', path.join(place, mode)], data: path.join(place, `data-${mode}`) });
    for (const mode of ['required', 'best-effort']) {
        const server = await tight(mode);
        const iam = server.client(IAMClient);
        const dir = path.join(place, mode);
        await iam.send(new CreateUserCommand({ UserName: 'first' }));
        // The open file may not grow: what the writer hears is what a full disk says.
        const size = fs.statSync(path.join(dir, fs.readdirSync(dir).find((name) => name.endsWith('.jsonl')))).size;
        const limited = await run('prlimit', ['--pid', String(server.pid), `--fsize=${size + 512}:unlimited`]).catch(() => ({ code: 1 }));
        if (limited.code !== 0) {
            t.diagnostic('prlimit is not here');
            return;
        }
        if (mode === 'required') {
            const error = await iam.send(new CreateUserCommand({ UserName: 'second' })).catch((e) => e);
            assert.deepEqual([error.name, error.$metadata?.httpStatusCode], ['ServiceUnavailable', 503]);
            assert.match(error.message, /audit log cannot be written \(File too large\)/);
            await iam.send(new GetUserCommand({ UserName: 'first' }));
            await assert.rejects(iam.send(new GetUserCommand({ UserName: 'second' })), 'it was not made');
            const metrics = await (await server.fetch('/_gatehouse/metrics')).text();
            assert.match(metrics, /^gatehouse_audit_refused_calls_total [1-9]/m);
        }
        await run('prlimit', ['--pid', String(server.pid), '--fsize=unlimited:unlimited']);
        await iam.send(new CreateUserCommand({ UserName: 'third' }));
        await server.stop();
        const { code, stdout } = await run(binary(), ['audit', 'verify', '--dir', dir]);
        assert.equal(code, 0, stdout);
    }
    const off = await start(t, { args: ['--audit=off'] });
    await off.client(IAMClient).send(new CreateUserCommand({ UserName: 'x' }));
    assert.equal(fs.existsSync(folder(off)), false);
    assert.equal((await lookup(off, {})).status, 404);
});
