// CustomEmailSender and CustomSMSSender: who delivers gets the code encrypted, and needs leave to decrypt it.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import { recordingBackend } from './support/backends.mjs';
import { open } from './support/envelope.mjs';
import { account, eventually, start } from './support/harness.mjs';
import { hookUp } from './support/hooks.mjs';
import { signed } from './support/sign.mjs';
import { addPool, addUser, PASSWORD, raw, refused, setOptions, setUp } from './support/userpool.mjs';
import { zip } from './support/zip.mjs';

const attributes = (all) => Object.entries(all).map(([Name, Value]) => ({ Name, Value }));
const KEY = `arn:aws:kms:us-east-1:${account}:key/1a2b3c4d-0000-4000-8000-000000000001`;
const ROOT = { accessKeyId: 'test', secretAccessKey: 'test' };

async function kms(server, operation, input, credentials = ROOT) {
    const answer = await signed(server.url + '/', credentials, {
        service: 'kms', method: 'POST', body: JSON.stringify(input),
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` },
    });
    const body = await answer.json();
    if (answer.status === 200) return body;
    throw Object.assign(new Error(body.message ?? body.Message), { name: body.__type, status: answer.status });
}
const opener = (server, credentials) => async ({ ciphertext, context, keyArn }) =>
    Buffer.from((await kms(server, 'Decrypt', { CiphertextBlob: ciphertext.toString('base64'), EncryptionContext: context, KeyId: keyArn }, credentials)).Plaintext, 'base64');

test('each message goes to its sender, with the code for who may decrypt it', async (t) => {
    const pool = await setUp(t, {
        pool: {
            AutoVerifiedAttributes: ['email', 'phone_number'], LambdaConfig: { KMSKeyID: KEY },
            SmsConfiguration: { SnsCallerArn: `arn:aws:iam::${account}:role/sms`, ExternalId: 'x' },
        },
    });
    const { api, server, poolId: UserPoolId, clientId: ClientId } = pool;
    const hooks = await hookUp(t, pool, ['CustomEmailSender', 'CustomSMSSender', 'CustomMessage']);
    const codeOf = async (event) => {
        const { plain, context, keyArn, provider } = await open(event.request.code, opener(server));
        assert.deepEqual([context['userpool-id'], keyArn, provider], [UserPoolId, KEY, 'aws-kms']);
        assert.match(event.request.code, /^AYADe/);
        return plain;
    };
    const next = () => eventually('an event', () => hooks.events.shift());
    const { CodeDeliveryDetails } = await api.signUp({ ClientId, Username: 'ann', Password: PASSWORD, UserAttributes: attributes({ email: 'ann@example.org' }), ClientMetadata: { a: 'b' } });
    assert.deepEqual(CodeDeliveryDetails, { Destination: 'a***@e***', DeliveryMedium: 'EMAIL', AttributeName: 'email' });
    const signedUp = await next();
    assert.equal(signedUp.triggerSource, 'CustomEmailSender_SignUp');
    const { code, ...request } = signedUp.request;
    assert.ok(code);
    assert.equal(request.type, 'customEmailSenderRequestV1');
    assert.deepEqual(request.clientMetadata, { a: 'b' });
    assert.equal(request.userAttributes.email, 'ann@example.org');
    await api.confirmSignUp({ ClientId, Username: 'ann', ConfirmationCode: await codeOf(signedUp) });
    assert.deepEqual(await server.outbox('ann@example.org'), [], 'nothing else is delivered');

    await api.forgotPassword({ ClientId, Username: 'ann' });
    const forgot = await next();
    assert.equal(forgot.triggerSource, 'CustomEmailSender_ForgotPassword');
    await api.confirmForgotPassword({ ClientId, Username: 'ann', ConfirmationCode: await codeOf(forgot), Password: PASSWORD });

    await api.adminCreateUser({ UserPoolId, Username: 'bob', TemporaryPassword: 'Tempo-1843!', UserAttributes: attributes({ phone_number: '+15550100' }) });
    const invited = await next();
    assert.deepEqual([invited.triggerSource, invited.request.type], ['CustomSMSSender_AdminCreateUser', 'customSMSSenderRequestV1']);
    assert.equal(await codeOf(invited), 'Tempo-1843!', 'the temporary password');
    assert.deepEqual(hooks.sources(), [], 'CustomMessage has nothing to word');

    // "Custom sender errors are not seen by the caller"
    hooks.answers.CustomEmailSender_ForgotPassword = () => ({ status: 500 });
    await setOptions(pool, { triggerTimeoutMs: 500 });
    await api.forgotPassword({ ClientId, Username: 'ann' });
    assert.match(server.log(), /a trigger was not told/);
    // Two messages of one code are not alike, and none of them is the code.
    assert.equal(new Set(hooks.events.map((event) => event.request.code)).size, 1, 'the same event over all tries');
});

test('data keys: made and opened under the same ARN and context only', async (t) => {
    const server = await start(t);
    const context = { 'userpool-id': 'us-east-1_x', 'aws-crypto-public-key': 'A' };
    const { Plaintext, CiphertextBlob, KeyId } = await kms(server, 'GenerateDataKey', { KeyId: KEY, KeySpec: 'AES_256', EncryptionContext: context });
    assert.equal(KeyId, KEY);
    assert.equal(Buffer.from(Plaintext, 'base64').length, 32);
    const turned = Object.fromEntries(Object.entries(context).reverse());
    assert.equal((await kms(server, 'Decrypt', { CiphertextBlob, KeyId: KEY.split('/')[1], EncryptionContext: turned })).Plaintext, Plaintext);
    const other = `${KEY.slice(0, -1)}2`;
    const flipped = Buffer.from(CiphertextBlob, 'base64');
    flipped[flipped.length - 2] ^= 1;
    const rows = [
        [{ CiphertextBlob, KeyId: KEY }, 'InvalidCiphertextException'],
        [{ CiphertextBlob, KeyId: KEY, EncryptionContext: { ...context, more: 'x' } }, 'InvalidCiphertextException'],
        [{ CiphertextBlob, KeyId: KEY, EncryptionContext: { ...context, 'userpool-id': 'us-east-1_y' } }, 'InvalidCiphertextException'],
        [{ CiphertextBlob: flipped.toString('base64'), KeyId: KEY, EncryptionContext: context }, 'InvalidCiphertextException'],
        [{ CiphertextBlob: 'AAAA', KeyId: KEY, EncryptionContext: context }, 'InvalidCiphertextException'],
        [{ CiphertextBlob: 'R0hLMf//', KeyId: KEY, EncryptionContext: context }, 'InvalidCiphertextException'],
        [{ CiphertextBlob, KeyId: other, EncryptionContext: context }, 'IncorrectKeyException'],
        [{ CiphertextBlob, EncryptionContext: context }, 'ValidationException'],
        [{ CiphertextBlob, KeyId: KEY.replace(account, '111111111111'), EncryptionContext: context }, 'NotFoundException'],
        [{ CiphertextBlob, KeyId: 'alias/mine', EncryptionContext: context }, 'NotFoundException'],
    ];
    for (const [input, name] of rows) await refused(kms(server, 'Decrypt', input), name);
    const { KeyMetadata } = await kms(server, 'DescribeKey', { KeyId: KEY });
    assert.deepEqual([KeyMetadata.Arn, KeyMetadata.Enabled, KeyMetadata.KeySpec], [KEY, true, 'SYMMETRIC_DEFAULT']);
    await refused(kms(server, 'GenerateDataKey', { KeyId: KEY }), 'ValidationException', /number of bytes or key spec/);
    assert.equal(Buffer.from((await kms(server, 'GenerateDataKey', { KeyId: KEY, NumberOfBytes: 17 })).Plaintext, 'base64').length, 17);

    // IAM says who may.
    const people = server.client(iam.IAMClient);
    await people.send(new iam.CreateUserCommand({ UserName: 'sender' }));
    const { AccessKey } = await people.send(new iam.CreateAccessKeyCommand({ UserName: 'sender' }));
    const sender = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    const allow = (Resource) => people.send(new iam.PutUserPolicyCommand({
        UserName: 'sender', PolicyName: 'kms', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource }] }),
    }));
    const decrypt = () => kms(server, 'Decrypt', { CiphertextBlob, KeyId: KEY, EncryptionContext: context }, sender);
    await refused(decrypt(), 'AccessDeniedException');
    await allow(other);
    await refused(decrypt(), 'AccessDeniedException');
    await allow(KEY);
    assert.equal((await decrypt()).Plaintext, Plaintext);
    await refused(kms(server, 'GenerateDataKey', { KeyId: KEY, KeySpec: 'AES_256' }, sender), 'AccessDeniedException');
});

test('a function that sends is told as an event: later, and without holding anybody up', async (t) => {
    const server = await start(t);
    const inbox = await recordingBackend(t);
    const functions = server.client(lambda.LambdaClient);
    const { FunctionArn } = await functions.send(new lambda.CreateFunctionCommand({
        FunctionName: 'sender', Runtime: 'nodejs20.x', Handler: 'index.handler', Role: `arn:aws:iam::${account}:role/functions`, Timeout: 10,
        Code: { ZipFile: zip({ 'index.mjs': `export const handler = async (event) => { await fetch('${inbox.url}', { method: 'POST', body: JSON.stringify(event) }); };` }) },
    }));
    await functions.send(new lambda.AddPermissionCommand({ FunctionName: 'sender', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'cognito-idp.amazonaws.com' }));
    const LambdaConfig = { KMSKeyID: KEY, CustomEmailSender: { LambdaVersion: 'V1_0', LambdaArn: FunctionArn } };
    const pool = await addPool(server, { pool: { LambdaConfig } });
    await addUser(pool, 'ann');
    await pool.api.forgotPassword({ ClientId: pool.clientId, Username: 'ann' });
    const event = await eventually('the event', () => inbox.requests[0] && JSON.parse(inbox.requests[0].body), 20000);
    assert.equal(event.triggerSource, 'CustomEmailSender_ForgotPassword');
    const { plain } = await open(event.request.code, opener(server));
    await pool.api.confirmForgotPassword({ ClientId: pool.clientId, Username: 'ann', ConfirmationCode: plain, Password: PASSWORD });

    const api = raw(server);
    const sender = LambdaConfig.CustomEmailSender;
    const wrong = [
        [{ CustomEmailSender: sender }, 'KMSKeyId parameter is required when Custom SMS/Email Lambda trigger is used.'],
        [{ CustomSMSSender: sender, KMSKeyID: KEY.replace('us-east-1', 'eu-west-1') }, 'Invalid arn eu-west-1'],
        [{ CustomSMSSender: { ...sender, LambdaArn: FunctionArn.replace('us-east-1', 'eu-west-1') }, KMSKeyID: KEY }, 'Cross-region lambda functions are not supported'],
    ];
    for (const [config, message] of wrong) await refused(api.createUserPool({ PoolName: 'p', LambdaConfig: config }), 'InvalidParameterException', message);
});
