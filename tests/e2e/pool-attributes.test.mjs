// Users' attributes and names: schema and values, who may read and write, verification before update, aliases, case.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import { rootKey, start } from './support/harness.mjs';
import { PASSWORD, addPool, addUser, claims, raw, refused, signIn } from './support/userpool.mjs';

const INVALID = 'InvalidParameterException', DENIED = 'NotAuthorizedException', MISSING = 'ResourceNotFoundException';
let server;
before(async () => { server = await start(null); });
after(() => server.discard());

const list = (attributes) => Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
const object = (attributes) => Object.fromEntries(attributes.map((a) => [a.Name, a.Value]));
const access = async (s, name, password) => (await signIn(s, name, password)).AuthenticationResult.AccessToken;
const adminSet = (s, Username, attributes) => s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username, UserAttributes: list(attributes) });
const set = (s, AccessToken, attributes) => s.api.updateUserAttributes({ AccessToken, UserAttributes: list(attributes) });
const get = async (s, Username) => object((await s.api.adminGetUser({ UserPoolId: s.poolId, Username })).UserAttributes);
const custom = (Name, AttributeDataType, more = {}) => ({ Name, AttributeDataType, ...more });
const length = (MinLength, MaxLength) => ({ StringAttributeConstraints: { MinLength, MaxLength } });
const range = (MinValue, MaxValue) => ({ NumberAttributeConstraints: { MinValue, MaxValue } });

test('schemas that cannot be', async () => {
    const { api, poolId } = await addPool(server, { pool: { Schema: [custom('old', 'String')] } });
    const rows = [
        [custom('x', 'String', { Required: true }), 'Required custom attributes are not supported currently.'],
        [custom('x', 'String', length('5', '4')), "Attribute custom:x cannot have a max length shorter than it's min length"],
        [custom('x', 'Number', range('5', '4')), "Attribute custom:x cannot have a max value smaller than it's min value"],
        [custom('x', 'String', length('0', '2049')), 'user.custom:x: String attributes cannot have a length of more than 2048'],
        [custom('x', 'String', length('a', '4')), 'Invalid StringAttributeConstraints for schema attribute custom:x'],
        [custom('x', 'Number', length('1', '4')), 'Invalid StringAttributeConstraints for schema attribute custom:x'],
        [custom('x', 'String', range('1', '4')), 'Invalid NumberAttributeConstraints for schema attribute custom:x'],
        [custom('x', 'Number', range('1e3', '')), 'Invalid NumberAttributeConstraints for schema attribute custom:x'],
        [custom('email', 'Number'), 'You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email'],
        [custom('email', 'String', { DeveloperOnlyAttribute: true }), 'You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email'],
        [custom('email', 'String', length('9', '8')), "Attribute email cannot have a max length shorter than it's min length"],
        [custom('x'.repeat(21), 'String'), `1 validation error detected: Value '${'x'.repeat(21)}' at 'schema.1.member.name' failed to satisfy constraint: Member must have length less than or equal to 20`],
    ];
    for (const [attribute, message] of rows) await refused(api.createUserPool({ PoolName: 'p', Schema: [attribute] }), INVALID, message);
    await refused(api.createUserPool({ PoolName: 'p', Schema: [custom('x', 'String'), custom('x', 'Number')] }), INVALID,
        'Duplicate custom attribute names custom:x are not allowed in a user pool schema.');
    const add = (...CustomAttributes) => api.addCustomAttributes({ UserPoolId: poolId, CustomAttributes });
    await refused(add(custom('old', 'String')), INVALID, 'custom:old: Existing attribute already has name custom:old.');
    await add(custom('old', 'String', { DeveloperOnlyAttribute: true }));
    await refused(add(custom('old', 'String', { DeveloperOnlyAttribute: true })), INVALID, 'dev:custom:old: Existing attribute already has name dev:custom:old.');
    for (let n = 0; n < 2; n++) await add(...Array.from({ length: 24 }, (_, i) => custom(`a${n}x${i}`, 'Boolean')));
    await refused(add(custom('onemore', 'String')), 'LimitExceededException');
    const { UserPool } = await api.describeUserPool({ UserPoolId: poolId });
    assert.deepEqual(UserPool.SchemaAttributes.find((a) => a.Name === 'dev:custom:old').DeveloperOnlyAttribute, true);
});

test('values against the schema: length, range, type, immutable, required', async () => {
    const Schema = [
        custom('code', 'String', length('2', '4')), custom('age', 'Number', range('18', '99')), custom('vip', 'Boolean'), custom('since', 'DateTime'),
        custom('once', 'String', { Mutable: false }), custom('given_name', 'String', { Required: true }), custom('nickname', 'String', length('3', '5')),
    ];
    const s = await addPool(server, { pool: { Schema } });
    const create = (Username, attributes) => s.api.adminCreateUser({ UserPoolId: s.poolId, Username, MessageAction: 'SUPPRESS', UserAttributes: list(attributes) });
    await create('anna', { given_name: 'A', 'custom:once': 'first' });
    const bad = [
        { 'custom:code': 'a' }, { 'custom:code': 'abcde' }, { nickname: 'ab' }, { nickname: 'abcdef' }, { 'custom:age': '17' }, { 'custom:age': '100' }, { 'custom:age': 'old' },
        { 'custom:age': '18.5' }, { 'custom:vip': 'yes' }, { 'custom:since': 'yesterday' }, { birthdate: '1.1.2000' },
    ];
    for (const attributes of bad) {
        const error = await refused(adminSet(s, 'anna', attributes), INVALID);
        assert.ok(error.message.includes(Object.keys(attributes)[0]), error.message);
    }
    const good = [{ 'custom:code': 'é€ab' }, { 'custom:age': '18' }, { 'custom:age': '99' }, { 'custom:vip': 'false' }, { 'custom:since': '2026-11-21T10:00:00Z' }, { 'custom:since': '1763719200' }, { birthdate: '2000-01-01' }];
    for (const attributes of good) await adminSet(s, 'anna', attributes);
    await refused(adminSet(s, 'anna', { 'custom:once': 'again' }), INVALID, 'user.custom:once: Attribute cannot be updated.\n');
    await refused(adminSet(s, 'anna', { 'custom:none': 'x' }), INVALID, 'user.custom:none: Attribute does not exist in the schema.\n');
    await refused(create('bert', { 'custom:none': 'x' }), INVALID, 'Attributes did not conform to the schema: Type for attribute {custom:none} could not be determined');
    await refused(adminSet(s, 'anna', { email: 'no address' }), INVALID, 'Invalid email address format.');
    await refused(adminSet(s, 'anna', { phone_number: '0123' }), INVALID, 'Invalid phone number format.');
    await refused(s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'anna', UserAttributes: [{ Name: 'name' }] }), INVALID, 'Attribute value for name must not be null');
    await refused(s.api.adminDeleteUserAttributes({ UserPoolId: s.poolId, Username: 'anna', UserAttributeNames: ['given_name'] }), INVALID);
    const signUp = (attributes) => s.api.signUp({ ClientId: s.clientId, Username: 'carl', Password: PASSWORD, UserAttributes: list(attributes) });
    await refused(signUp({}), INVALID, 'Attributes did not conform to the schema: given_name: The attribute is required\n');
    await refused(signUp({ given_name: 'C', 'custom:none': 'x' }), INVALID, 'Attributes did not conform to the schema: custom:none: Attribute does not exist in the schema.\n');
});

test('d78: what a client may not write and not read', async () => {
    const s = await addPool(server, {
        pool: { Schema: [custom('note', 'String'), custom('secret', 'String', { DeveloperOnlyAttribute: true }), custom('team', 'String')] },
        client: { WriteAttributes: ['name', 'email', 'custom:note'], ReadAttributes: ['name', 'email', 'custom:note'] },
    });
    const open = (await s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'open', ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] })).UserPoolClient.ClientId;
    await addUser(s, 'anna');
    await adminSet(s, 'anna', { 'dev:custom:secret': 'hidden', 'custom:team': 'red' });
    const token = await access(s, 'anna'), wide = await access({ ...s, clientId: open }, 'anna');
    const unauthorized = [DENIED, 'A client attempted to write unauthorized attribute'];
    const rows = [
        [{ sub: 'x' }, ...unauthorized], [{ email_verified: 'true' }, ...unauthorized], [{ phone_number_verified: 'true' }, ...unauthorized],
        [{ 'custom:team': 'blue' }, ...unauthorized], [{ 'dev:custom:secret': 'x' }, ...unauthorized], [{ identities: '[]' }, ...unauthorized],
        [{ name: 'Fine', 'custom:team': 'blue' }, ...unauthorized],
        [{ 'cognito:groups': 'admin' }, INVALID, 'user.cognito:groups: Attribute does not exist in the schema.\n'],
    ];
    for (const [attributes, error, message] of rows) await refused(set(s, token, attributes), error, message);
    for (const attributes of [{ sub: 'x' }, { email_verified: 'true' }, { 'dev:custom:secret': 'x' }]) await refused(set(s, wide, attributes), ...unauthorized);
    await refused(set(s, wide, { identities: '[]' }), INVALID, 'user.identities: Attribute cannot be updated.\n');
    for (const attributes of [{ 'custom:team': 'x' }, { email_verified: 'true' }, { sub: 'x' }])
        await refused(s.api.signUp({ ClientId: s.clientId, Username: 'mass', Password: PASSWORD, UserAttributes: list(attributes) }), ...unauthorized);
    await refused(s.api.deleteUserAttributes({ AccessToken: token, UserAttributeNames: ['custom:team'] }), ...unauthorized);
    assert.equal((await get(s, 'anna')).name, undefined, 'nothing of a refused call is kept');
    await set(s, token, { name: 'Anna', 'custom:note': 'n' });

    const seen = async (t) => Object.keys(object((await s.api.getUser({ AccessToken: t })).UserAttributes)).sort();
    assert.deepEqual(await seen(token), ['custom:note', 'email', 'name', 'sub']);
    assert.deepEqual(await seen(wide), ['custom:note', 'custom:team', 'email', 'email_verified', 'name', 'sub']);
    const id = claims((await signIn(s, 'anna')).AuthenticationResult.IdToken);
    assert.deepEqual([id['custom:note'], id['custom:team'], id['dev:custom:secret'], id.email_verified], ['n', undefined, undefined, undefined]);
    assert.equal((await get(s, 'anna'))['dev:custom:secret'], 'hidden', 'administrators see all');
    await refused(s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'x', WriteAttributes: ['sub'] }), INVALID, 'Invalid write attributes specified while creating a client');
    await refused(s.api.createUserPoolClient({ UserPoolId: s.poolId, ClientName: 'x', ReadAttributes: ['custom:none'] }), INVALID, 'Invalid read attributes specified while creating a client');
});

const verifyFirst = { AutoVerifiedAttributes: ['email'], UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] } };
const verify = (s, AccessToken, Code) => s.api.verifyUserAttribute({ AccessToken, AttributeName: 'email', Code });

test('verification before update: the old address stays until the new one is proven', async () => {
    await refused(raw(server).createUserPool({ PoolName: 'x', UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] } }), INVALID,
        'All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes');
    const s = await addPool(server, { pool: { ...verifyFirst, UsernameAttributes: ['email'] } });
    assert.deepEqual((await s.api.describeUserPool({ UserPoolId: s.poolId })).UserPool.UserAttributeUpdateSettings, verifyFirst.UserAttributeUpdateSettings);
    await addUser(s, 'old@before.example', { attributes: { email: 'old@before.example', email_verified: 'true' } });
    const token = await access(s, 'old@before.example');
    const mail = async () => object((await s.api.getUser({ AccessToken: token })).UserAttributes);
    const { CodeDeliveryDetailsList } = await set(s, token, { email: 'new@before.example' });
    assert.deepEqual(CodeDeliveryDetailsList, [{ AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 'n***@b***' }]);
    assert.deepEqual([(await mail()).email, (await mail()).email_verified], ['old@before.example', 'true']);
    await signIn(s, 'old@before.example');
    await refused(signIn(s, 'new@before.example'), DENIED);
    const first = await server.code('new@before.example');
    await refused(verify(s, token, first === '000000' ? '000001' : '000000'), 'CodeMismatchException');

    await s.api.getUserAttributeVerificationCode({ AccessToken: token, AttributeName: 'email' });
    assert.equal((await server.outbox('new@before.example')).length, 2, 'asked again, the new address gets it');
    await set(s, token, { email: 'newer@before.example' });
    await refused(verify(s, token, (await server.outbox('new@before.example')).at(-1).code), 'CodeMismatchException');
    await verify(s, token, await server.code('newer@before.example'));
    assert.deepEqual([(await mail()).email, (await mail()).email_verified], ['newer@before.example', 'true']);
    await signIn(s, 'newer@before.example');
    await refused(signIn(s, 'old@before.example'), DENIED);

    // an administrator who vouches for it need not wait; one who does not, does
    await adminSet(s, 'newer@before.example', { email: 'third@before.example', email_verified: 'true' });
    assert.equal((await mail()).email, 'third@before.example');
    await adminSet(s, 'third@before.example', { email: 'fourth@before.example' });
    assert.equal((await mail()).email, 'third@before.example');
    await verify(s, token, await server.code('fourth@before.example'));
    assert.equal((await mail()).email, 'fourth@before.example');

    // back to the old one: nothing waits any more
    await set(s, token, { email: 'fifth@before.example' });
    await set(s, token, { email: 'fourth@before.example' });
    await refused(verify(s, token, await server.code('fifth@before.example')), 'CodeMismatchException');
    // somebody else was faster
    await addUser(s, 'rival@before.example', { attributes: { email: 'rival@before.example', email_verified: 'true' } });
    await set(s, token, { email: 'wanted@before.example' });
    await adminSet(s, 'rival@before.example', { email: 'wanted@before.example', email_verified: 'true' });
    await refused(verify(s, token, await server.code('wanted@before.example')), 'AliasExistsException', 'An account with the given email already exists.');
});

test('a code proves the address that it went to, and no other', async () => {
    const s = await addPool(server);
    await addUser(s, 'anna', { attributes: { email: 'mine@proof.example' } });
    const token = await access(s, 'anna');
    await s.api.getUserAttributeVerificationCode({ AccessToken: token, AttributeName: 'email' });
    const code = await server.code('mine@proof.example');
    await s.api.updateUserPool({ UserPoolId: s.poolId }); // nothing is verified by itself: no other code takes its place
    await set(s, token, { email: 'victim@proof.example' });
    await refused(verify(s, token, code), 'CodeMismatchException');
    assert.equal((await get(s, 'anna')).email_verified, 'false');

    const t = await addPool(server);
    await t.api.signUp({ ClientId: t.clientId, Username: 'bert', Password: PASSWORD, UserAttributes: list({ email: 'first@proof.example' }) });
    const confirm = await server.code('first@proof.example');
    await adminSet(t, 'bert', { email: 'second@proof.example' });
    await refused(t.api.confirmSignUp({ ClientId: t.clientId, Username: 'bert', ConfirmationCode: confirm }), 'CodeMismatchException');
});

test('d64: aliases: usable once verified, taken, moved by force', async () => {
    const s = await addPool(server, { pool: { AliasAttributes: ['email', 'preferred_username'] } });
    const signUp = (Username, attributes) => s.api.signUp({ ClientId: s.clientId, Username, Password: PASSWORD, UserAttributes: list(attributes) });
    const confirm = async (Username, email, more = {}) =>
        s.api.confirmSignUp({ ClientId: s.clientId, Username, ConfirmationCode: (await server.outbox(email)).at(-1).code, ...more });
    const shape = [
        ['a@b.example', {}, 'Username cannot be of email format, since user pool is configured for email alias.'],
        ['early', { preferred_username: 'nick' }, 'Preferred username cannot be provided for unconfirmed account, since user pool is configured for preferred username alias.'],
    ];
    for (const [name, attributes, message] of shape) await refused(signUp(name, attributes), INVALID, message);
    await signUp('anna', { email: 'shared@alias.example' });
    await refused(signIn(s, 'shared@alias.example'), DENIED);
    await confirm('anna', 'shared@alias.example');
    await signIn(s, 'SHARED@alias.example').then(() => assert.fail('case counts'), () => {});
    await signIn(s, 'shared@alias.example');

    await signUp('bert', { email: 'shared@alias.example' }); // not told that it is taken
    await refused(confirm('bert', 'shared@alias.example'), 'AliasExistsException', 'An account with the email already exists.');
    assert.equal((await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'bert' })).UserStatus, 'UNCONFIRMED');
    await confirm('bert', 'shared@alias.example', { ForceAliasCreation: true });
    assert.equal((await get(s, 'shared@alias.example')).sub, (await get(s, 'bert')).sub);
    assert.equal((await get(s, 'anna')).email_verified, 'false');
    await adminSet(s, 'anna', { name: 'still changes' });
    await refused(adminSet(s, 'anna', { email_verified: 'true' }), 'AliasExistsException', 'An account with the given email already exists.');
    const create = (Username, more) => s.api.adminCreateUser({ UserPoolId: s.poolId, Username, MessageAction: 'SUPPRESS', UserAttributes: list({ email: 'shared@alias.example', email_verified: 'true' }), ...more });
    await refused(create('carl'), 'AliasExistsException', 'An account with the given email already exists.');
    await create('carl', { ForceAliasCreation: true });
    assert.equal((await get(s, 'shared@alias.example')).sub, (await get(s, 'carl')).sub);
    await refused(create('carl'), 'UsernameExistsException', 'User account already exists');

    await adminSet(s, 'anna', { preferred_username: 'queen' });
    await signIn(s, 'queen');
    await refused(adminSet(s, 'bert', { preferred_username: 'queen' }), 'AliasExistsException', 'An account with the given preferred_username already exists.');
    await refused(adminSet(s, 'bert', { preferred_username: 'anna' }), 'AliasExistsException', 'Already found an entry for the provided username.');
    await refused(adminSet(s, 'bert', { preferred_username: 'b@alias.example' }), INVALID, 'Preferred username cannot be of email format, since user pool is configured for email alias.');
    await refused(signUp('queen', {}), 'UsernameExistsException', 'User already exists');
    await adminSet(s, 'anna', { preferred_username: 'empress' });
    await refused(signIn(s, 'queen'), DENIED);
    await adminSet(s, 'bert', { preferred_username: 'queen' });
});

test('names are addresses: forms, clashes, and case', async () => {
    const forms = [
        [['email'], 'Username should be an email.'], [['phone_number'], 'Username should be a phone number.'],
        [['email', 'phone_number'], 'Username should be either an email or a phone number.'],
    ];
    for (const [UsernameAttributes, message] of forms) {
        const s = await addPool(server, { pool: { UsernameAttributes } });
        await refused(s.api.signUp({ ClientId: s.clientId, Username: 'anna', Password: PASSWORD }), INVALID, message);
    }
    await refused(raw(server).createUserPool({ PoolName: 'x', AliasAttributes: ['email'], UsernameAttributes: ['email'] }), INVALID,
        'Only one of the aliasAttributes or usernameAttributes can be set in a User pool.');
    for (const CaseSensitive of [true, false]) {
        const s = await addPool(server, { pool: { UsernameAttributes: ['email'], UsernameConfiguration: { CaseSensitive } } });
        const create = (Username) => s.api.adminCreateUser({ UserPoolId: s.poolId, Username, MessageAction: 'SUPPRESS' });
        const { User } = await create('Anna@case.example');
        assert.equal(User.Username, object(User.Attributes).sub);
        const other = create('anna@CASE.example');
        if (CaseSensitive) await other;
        else await refused(other, 'UsernameExistsException');
        await refused(create('Anna@case.example'), 'UsernameExistsException');
        const plain = await addPool(server, { pool: { AliasAttributes: ['preferred_username'], UsernameConfiguration: { CaseSensitive } } });
        await addUser(plain, 'Bert');
        await adminSet(plain, 'Bert', { preferred_username: 'King' });
        for (const name of ['bERT', 'kING']) {
            const found = plain.api.adminGetUser({ UserPoolId: plain.poolId, Username: name });
            if (CaseSensitive) await refused(found, 'UserNotFoundException');
            else assert.equal((await found).Username, 'Bert');
        }
    }
});

test('d79: administrators\' operations without a key, without permission, on another\'s', async (t) => {
    const own = await start(t, { mode: 'serve' });
    const root = own.credentials = rootKey(own);
    const mine = await addPool(own), other = await addPool(own);
    await addUser(mine, 'anna');
    const people = own.client(iam.IAMClient);
    await people.send(new iam.CreateUserCommand({ UserName: 'clerk' }));
    const { AccessKey } = await people.send(new iam.CreateAccessKeyCommand({ UserName: 'clerk' }));
    const clerk = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    await people.send(new iam.PutUserPolicyCommand({
        UserName: 'clerk', PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'cognito-idp:AdminGetUser', Resource: mine.pool.Arn }] }),
    }));
    const user = { UserPoolId: mine.poolId, Username: 'anna' };
    const byClerk = raw(own, clerk), byRoot = raw(own, root);
    assert.equal((await byClerk.adminGetUser(user)).Username, 'anna');
    const rows = [
        [byClerk, 'adminGetUser', { ...user, UserPoolId: other.poolId }, 'AccessDeniedException'],
        [byClerk, 'adminDeleteUser', user, 'AccessDeniedException'],
        [byClerk, 'adminSetUserPassword', { ...user, Password: PASSWORD, Permanent: true }, 'AccessDeniedException'],
        [byClerk, 'adminUpdateUserAttributes', { ...user, UserAttributes: list({ email_verified: 'true' }) }, 'AccessDeniedException'],
        [byClerk, 'describeUserPoolClient', { UserPoolId: mine.poolId, ClientId: mine.clientId }, 'AccessDeniedException'],
        [byRoot, 'adminGetUser', { ...user, UserPoolId: other.poolId }, 'UserNotFoundException'],
        [byRoot, 'describeUserPoolClient', { UserPoolId: other.poolId, ClientId: mine.clientId }, MISSING],
        [byRoot, 'updateUserPoolClient', { UserPoolId: other.poolId, ClientId: mine.clientId }, MISSING],
        [byRoot, 'deleteUserPoolClient', { UserPoolId: other.poolId, ClientId: mine.clientId }, MISSING],
        [byRoot, 'adminInitiateAuth', { UserPoolId: other.poolId, ClientId: mine.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: 'anna', PASSWORD } }, MISSING],
        [byRoot, 'createManagedLoginBranding', { UserPoolId: other.poolId, ClientId: mine.clientId, UseCognitoProvidedValues: true }, MISSING],
        [raw(own, { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' }), 'adminGetUser', user, 'UnrecognizedClientException'],
    ];
    for (const [who, operation, input, error] of rows) await refused(who[operation](input), error);
    for (const operation of ['AdminGetUser', 'AdminDeleteUser', 'ListUsers', 'CreateUserPool', 'CreateUserImportJob']) {
        const answer = await own.fetch('/', { method: 'POST', body: JSON.stringify(user), headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` } });
        assert.deepEqual([answer.status, (await answer.json()).__type], [400, 'MissingAuthenticationTokenException'], operation);
    }
    // its own region's and account's only
    const elsewhere = own.client((await import('@aws-sdk/client-cognito-identity-provider')).CognitoIdentityProviderClient, { region: 'eu-west-1' });
    const { AdminGetUserCommand } = await import('@aws-sdk/client-cognito-identity-provider');
    await refused(elsewhere.send(new AdminGetUserCommand(user)), MISSING);
    assert.equal((await byClerk.adminGetUser(user)).Username, 'anna', 'and all is as it was');
});
