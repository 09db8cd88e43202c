// A person's and a program's secrets stand nowhere in clear: not in the data folder, not in the log, not on a command
// line (attack table h01), and no description gives away what was said once (h13).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import * as apigw from '@aws-sdk/client-api-gateway';
import * as idp from '@aws-sdk/client-cognito-identity-provider';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import * as sts from '@aws-sdk/client-sts';
import { scratch, start } from './support/harness.mjs';
import { zip } from './support/zip.mjs';

const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '*', Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] });

function filesIn(folder) {
    return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

// The command lines of a process and of all that it started.
function commandLines(pid) {
    const parent = new Map();
    for (const name of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
            parent.set(Number(name), Number(/\) \S (\d+)/.exec(fs.readFileSync(`/proc/${name}/stat`, 'latin1'))[1]));
        } catch {
            // it ended meanwhile
        }
    }
    const ours = new Set([pid]);
    for (let before = 0; before !== ours.size;) {
        before = ours.size;
        for (const [child, of] of parent) if (ours.has(of)) ours.add(child);
    }
    return [...ours].map((one) => {
        try {
            return fs.readFileSync(`/proc/${one}/cmdline`, 'latin1');
        } catch {
            return '';
        }
    });
}

// What stands in `text` of a secret: as it is, or in a coating that hides it from grep only.
function formsOf(secret) {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)];
}

function leaks(secrets, places) {
    const found = [];
    for (const [what, secret] of Object.entries(secrets))
        for (const [place, text] of Object.entries(places))
            if (formsOf(secret).some((form) => text.includes(form))) found.push(`${what} in ${place}`);
    return found;
}

// Passwords that were typed, refused, changed; everything Cognito handed out.
async function poolSecrets(server) {
    const client = server.client(idp.CognitoIdentityProviderClient);
    const send = (name, input) => client.send(new idp[`${name}Command`](input));
    const raw = (operation, body) => server.fetch('/', {
        method: 'POST', body,
        headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`, 'content-type': 'application/x-amz-json-1.1' },
    });
    const secrets = { password: 'Typed-Pass0word', refused: 'Refused-Pass0word', changed: 'Changed-Pass0word', temporary: 'Temporary-Pass0word', wrong: 'Wrong-Pass0word', malformed: 'Malformed-Pass0word' };
    const { UserPool } = await send('CreateUserPool', { PoolName: 'shop', AutoVerifiedAttributes: ['email'] });
    const { UserPoolClient } = await send('CreateUserPoolClient', {
        UserPoolId: UserPool.Id, ClientName: 'web', GenerateSecret: true, ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    });
    secrets.clientSecret = UserPoolClient.ClientSecret;
    const app = {
        ClientId: UserPoolClient.ClientId, Username: 'ann',
        SecretHash: crypto.createHmac('sha256', secrets.clientSecret).update(`ann${UserPoolClient.ClientId}`).digest('base64'),
    };
    const signIn = async (PASSWORD) => (await send('InitiateAuth', {
        ClientId: app.ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'ann', PASSWORD, SECRET_HASH: app.SecretHash },
    })).AuthenticationResult;
    const attributes = { UserAttributes: [{ Name: 'email', Value: 'ann@shop.example' }] };
    assert.equal((await raw('SignUp', JSON.stringify({ ...app, ...attributes, Password: `${secrets.refused} with blanks` }))).status, 400);
    assert.equal((await raw('SignUp', `{"ClientId":"${app.ClientId}","Password":"${secrets.malformed}`)).status, 400);
    assert.equal((await raw('SignUp', `{"Password":${secrets.malformed}}`)).status, 400);
    await send('SignUp', { ...app, ...attributes, Password: secrets.password });
    secrets.signUpCode = await server.code('ann@shop.example');
    await send('ConfirmSignUp', { ...app, ConfirmationCode: secrets.signUpCode });
    await assert.rejects(signIn(secrets.wrong), { name: 'NotAuthorizedException' });
    const first = await signIn(secrets.password);
    secrets.refreshToken = first.RefreshToken;
    secrets.accessToken = first.AccessToken;
    await send('ChangePassword', { AccessToken: first.AccessToken, PreviousPassword: secrets.password, ProposedPassword: secrets.changed });
    await send('ForgotPassword', app);
    secrets.forgotCode = await server.code('ann@shop.example');
    assert.equal((await raw('GetUser', JSON.stringify({ AccessToken: `${secrets.accessToken}\n` }))).status, 400);
    await assert.rejects(send('InitiateAuth', { ClientId: app.ClientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: `${secrets.refreshToken}x`, SECRET_HASH: app.SecretHash } }));
    await send('AdminCreateUser', { UserPoolId: UserPool.Id, Username: 'bob', TemporaryPassword: secrets.temporary, UserAttributes: [{ Name: 'email', Value: 'bob@shop.example' }] });
    const { UserPoolClients } = await send('ListUserPoolClients', { UserPoolId: UserPool.Id, MaxResults: 10 });
    assert.equal(UserPoolClients[0].ClientSecret, undefined, 'a list gives no secret away');
    // Six digits stand anywhere by chance: a code is looked for as its message has it.
    for (const code of ['signUpCode', 'forgotCode']) secrets[code] = `code is ${secrets[code]}`;
    return secrets;
}

async function keySecrets(server) {
    const client = server.client(iam.IAMClient);
    const send = (name, input) => client.send(new iam[`${name}Command`](input));
    await send('CreateUser', { UserName: 'operator' });
    const { AccessKey } = await send('CreateAccessKey', { UserName: 'operator' });
    const { AccessKeyMetadata } = await send('ListAccessKeys', { UserName: 'operator' });
    assert.equal(AccessKeyMetadata[0].SecretAccessKey, undefined, 'a secret key is told once');
    const { Role } = await send('CreateRole', { RoleName: 'worker', AssumeRolePolicyDocument: trust });
    const { Credentials } = await server.client(sts.STSClient).send(new sts.AssumeRoleCommand({ RoleArn: Role.Arn, RoleSessionName: 'night' }));
    return { accessKeySecret: AccessKey.SecretAccessKey, sessionSecret: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken };
}

// The function says what keys of its role it got; it is still there, warm, when the command lines are read.
async function functionSecrets(server) {
    const client = server.client(lambda.LambdaClient);
    const variable = 'variable-of-a-function-0451';
    const code = 'exports.handler = async () => ({ key: process.env.AWS_SECRET_ACCESS_KEY, token: process.env.AWS_SESSION_TOKEN, variable: process.env.API_KEY });';
    await client.send(new lambda.CreateFunctionCommand({
        FunctionName: 'worker', Runtime: 'nodejs20.x', Handler: 'index.handler', Role: 'arn:aws:iam::000000000000:role/worker',
        Environment: { Variables: { API_KEY: variable } }, Code: { ZipFile: zip({ 'index.js': code }) },
    }));
    const { Payload } = await client.send(new lambda.InvokeCommand({ FunctionName: 'worker' }));
    const told = JSON.parse(Buffer.from(Payload).toString());
    assert.equal(told.variable, variable);
    return { functionVariable: variable, roleKey: told.key, roleToken: told.token };
}

// API keys: given, generated, imported, replaced, refused; lists and descriptions leave them out.
async function apiKeySecrets(server) {
    const client = server.client(apigw.APIGatewayClient);
    const send = (name, input) => client.send(new apigw[`${name}Command`](input));
    const secrets = { givenKey: 'given-key-0123456789-abcdef', importedKey: 'imported-key-0123456789-abcdefghij', secondKey: 'second-key-0123456789-abcdef', shortKey: 'too-short-a-key', takenKey: 'given-key-0123456789-abcdef' };
    const given = await send('CreateApiKey', { name: 'given', value: secrets.givenKey, enabled: true });
    secrets.generatedKey = (await send('CreateApiKey', { name: 'generated' })).value;
    await send('ImportApiKeys', { format: 'csv', body: Buffer.from(`name,key\nimported,${secrets.importedKey}\n`) });
    await send('UpdateApiKey', { apiKey: given.id, patchOperations: [{ op: 'add', path: '/x-gatehouse/value', value: secrets.secondKey }] });
    await assert.rejects(send('CreateApiKey', { value: secrets.shortKey }));
    await assert.rejects(send('CreateApiKey', { value: secrets.takenKey }));
    const plan = await send('CreateUsagePlan', { name: 'plan' });
    await send('CreateUsagePlanKey', { usagePlanId: plan.id, keyId: given.id, keyType: 'API_KEY' });
    for (const key of (await send('GetApiKeys', {})).items) assert.equal(key.value, undefined, 'a list gives no key away');
    return secrets;
}

function placesOf(server) {
    const places = Object.fromEntries(filesIn(server.data).map((file) => [path.relative(server.data, file), fs.readFileSync(file, 'latin1')]));
    places['the log'] = server.log();
    places['the command lines'] = commandLines(server.pid).join('\n');
    return places;
}

test('no secret stands in clear in the data folder, the log or a command line', async (t) => {
    const server = await start(t, { data: path.join(scratch(t), 'data'), args: ['--log-level', 'debug'] });
    const secrets = { ...(await poolSecrets(server)), ...(await keySecrets(server)), ...(await apiKeySecrets(server)), ...(await functionSecrets(server)) };
    for (const [what, secret] of Object.entries(secrets)) assert.ok(secret?.length >= 12, `${what} is known`);

    const places = placesOf(server);
    // The search finds what may be found: names in the database, operations in the log, the data folder's path.
    assert.deepEqual(leaks({ user: 'ann@shop.example' }, { db: places['gatehouse.db'] + places['gatehouse.db-wal'] }), ['user in db']);
    assert.deepEqual(leaks({ operation: 'ForgotPassword' }, { log: places['the log'] }), ['operation in log']);
    assert.deepEqual(leaks({ folder: server.data }, { lines: places['the command lines'] }), ['folder in lines']);
    assert.deepEqual(leaks(secrets, places), []);

    // Signing keys: neither PEM nor the head of a PKCS#8 or PKCS#1 RSA key, nor a JWK's private part.
    const head = Buffer.from('300d06092a864886f70d0101010500048204', 'hex').toString('latin1');
    for (const [place, text] of Object.entries(places)) assert.doesNotMatch(text, /PRIVATE KEY|MIIEv[AgQ]|"d":"/, place);
    assert.ok(!Object.values(places).some((text) => text.includes(head)), 'a private key in DER');

    await server.stop();
    assert.deepEqual(leaks(secrets, placesOf(server)), [], 'and not after it was stopped');
});

test('what is kept is for its owner only (h10)', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const text = fs.readFileSync(path.join(server.data, 'root-credentials'), 'utf8');
    const secret = /aws_secret_access_key = (\S+)/.exec(text)[1];
    const places = placesOf(server);
    delete places['root-credentials'];
    assert.deepEqual(leaks({ rootSecret: secret }, places), []);
    assert.equal(fs.statSync(server.data).mode & 0o777, 0o700, 'the folder');
    for (const file of fs.readdirSync(server.data).map((name) => path.join(server.data, name)))
        assert.equal(fs.statSync(file).mode & 0o077, 0, file);
});
