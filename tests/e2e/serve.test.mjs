// Production mode: every management call signed by a known key and allowed by policy, no debug door open.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { IAMClient, CreateUserCommand, CreateAccessKeyCommand } from '@aws-sdk/client-iam';
import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { CognitoIdentityProviderClient, ListUserPoolsCommand } from '@aws-sdk/client-cognito-identity-provider';
import { start, scratch, rootKey, run, binary } from './support/harness.mjs';

test('serve writes root credentials once, for the owner only, and they work across a restart', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const file = path.join(server.data, 'root-credentials');
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const credentials = rootKey(server);
    assert.match(credentials.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
    const who = await server.client(STSClient, { credentials: { ...credentials } }).send(new GetCallerIdentityCommand({}));
    assert.equal(who.Arn, 'arn:aws:iam::000000000000:root');
    await server.restart();
    assert.deepEqual(rootKey(server), credentials);
    await server.client(STSClient, { credentials: { ...credentials } }).send(new GetCallerIdentityCommand({}));
});

test('serve refuses unknown keys, wrong signatures and users without a policy', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const credentials = rootKey(server);
    await assert.rejects(server.client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' })), { name: 'InvalidClientTokenId' });
    await assert.rejects(
        server.client(IAMClient, { credentials: { accessKeyId: '000000000000', secretAccessKey: 'x' } }).send(new CreateUserCommand({ UserName: 'ann' })),
        { name: 'InvalidClientTokenId' });
    await assert.rejects(
        server.client(IAMClient, { credentials: { ...credentials, secretAccessKey: 'wrong' } }).send(new CreateUserCommand({ UserName: 'ann' })),
        { name: 'SignatureDoesNotMatch' });
    const iam = server.client(IAMClient, { credentials });
    await iam.send(new CreateUserCommand({ UserName: 'ann' }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
    const ann = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    await assert.rejects(
        server.client(CognitoIdentityProviderClient, { credentials: ann }).send(new ListUserPoolsCommand({ MaxResults: 10 })),
        (error) => {
            assert.equal(error.name, 'AccessDeniedException');
            assert.match(error.message, /^User: arn:aws:iam::000000000000:user\/ann is not authorized to perform: cognito-idp:ListUserPools on resource: .* because no identity-based policy allows the cognito-idp:ListUserPools action$/);
            return true;
        });
});

test('serve keeps the doors of dev mode shut', async (t) => {
    const server = await start(t, { mode: 'serve' });
    for (const [method, target] of [['GET', '/_gatehouse/outbox'], ['POST', '/_gatehouse/clock'], ['POST', '/_gatehouse/reset'], ['GET', '/_gatehouse/why/x']])
        assert.equal((await server.fetch(target, { method })).status, 403, target);
    assert.equal((await server.fetch('/_gatehouse/health')).status, 200);
    assert.equal((await server.fetch('/_gatehouse/ready')).status, 200);
});

test('serve refuses a data folder or a key file that others may read', async (t) => {
    const data = path.join(scratch(t), 'data');
    const args = ['serve', '--data', data, '--listen', '127.0.0.1:0'];
    fs.mkdirSync(data, { mode: 0o755 });
    let answer = await run(binary(), args);
    assert.equal(answer.code, 2);
    assert.match(answer.stderr, /open to others \(mode 755\): chmod 700/);
    fs.chmodSync(data, 0o700);
    fs.writeFileSync(path.join(data, 'key'), 'ab'.repeat(32) + '\n', { mode: 0o644 });
    answer = await run(binary(), args);
    assert.equal(answer.code, 2);
    assert.match(answer.stderr, /may be read by others: chmod 600/);
});
