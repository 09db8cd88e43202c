// ListUsers' filters through their indexes; search by any attribute; one thing done to all that a search finds.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';

import { rootKey, start } from './support/harness.mjs';
import { addUser, api, beside, poolOf, refused, signIn } from './support/people.mjs';
import { signed } from './support/sign.mjs';

const PEOPLE = [
    ['ada', { email: 'Ada@example.org', given_name: 'Ada', family_name: 'Lovelace', birthdate: '1815-12-10', 'custom:level': '9', 'custom:team': 'engines' }],
    ['alan', { email: 'alan@example.org', given_name: 'Alan', family_name: 'Turing', birthdate: '1912-06-23', 'custom:level': '10' }],
    ['grace', { email: 'grace@navy.example', given_name: 'Grace', family_name: 'Hopper', birthdate: '1906-12-09', 'custom:level': '-2', 'custom:team': 'COBOL 100%' }],
    ['linus', { email: 'l_inus@example.org', phone_number: '+35840123456', name: 'Linus "T"' }],
    ['Zoe', { given_name: 'Zoë' }],
];
const SCHEMA = [{ Name: 'level', AttributeDataType: 'Number', Mutable: true }, { Name: 'team', AttributeDataType: 'String', Mutable: true, StringAttributeConstraints: {} }];

async function people(t, pool = {}) {
    const s = await poolOf(await start(t), { pool: { Schema: SCHEMA, UsernameConfiguration: { CaseSensitive: false }, ...pool } });
    for (const [name, all] of PEOPLE) await addUser(s, name, all, null);
    return s;
}

test('ListUsers: every filter finds what it names, page by page', async (t) => {
    const s = await people(t);
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'alan' });
    await s.api.adminSetUserPassword({ UserPoolId: s.poolId, Username: 'grace', Password: 'Engine-1843!', Permanent: true });
    const { Users } = await s.api.listUsers({ UserPoolId: s.poolId });
    const sub = Users.find((u) => u.Username === 'ada').Attributes.find((a) => a.Name === 'sub').Value;
    const rows = [
        ['', ['ada', 'alan', 'grace', 'linus', 'Zoe']],
        ['email = "ada@EXAMPLE.org"', ['ada']],
        ['email ^= "a"', ['ada', 'alan']],
        ['email = "nobody"', []],
        ['phone_number ^= "+358"', ['linus']],
        ['name = "Linus \\"T\\""', ['linus']],
        ['given_name ^= "zo"', ['Zoe']],
        ['family_name = "hopper"', ['grace']],
        ['username = "ada"', ['ada']],
        ['username = "ADA"', []],
        ['username = "Zoe"', ['Zoe']],
        ['username ^= "a"', ['ada', 'alan']],
        [`sub = "${sub}"`, ['ada']],
        [`sub ^= "${sub.slice(0, 30)}"`, ['ada']],
        ['status = "Disabled"', ['alan']],
        ['status = "Enabled"', ['ada', 'grace', 'linus', 'Zoe']],
        ['status ^= ""', ['ada', 'alan', 'grace', 'linus', 'Zoe']],
        ['cognito:user_status = "confirmed"', ['grace']],
        ['cognito:user_status ^= "force"', ['ada', 'alan', 'linus', 'Zoe']],
    ];
    for (const [Filter, expected] of rows) {
        for (const Limit of [undefined, 1]) {
            const found = [];
            let PaginationToken, pages = 0;
            do {
                const page = await s.api.listUsers({ UserPoolId: s.poolId, Filter, Limit, PaginationToken });
                found.push(...page.Users.map((u) => u.Username));
                ({ PaginationToken } = page);
                assert.ok(++pages < 10, Filter);
            } while (PaginationToken);
            assert.deepEqual(found, expected, `${Filter} by ${Limit}`);
        }
    }
    // An index follows what changes.
    await s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'ada', UserAttributes: [{ Name: 'email', Value: 'lovelace@example.org' }] });
    const count = async (Filter) => (await s.api.listUsers({ UserPoolId: s.poolId, Filter })).Users.length;
    assert.equal(await count('email = "ada@example.org"'), 0);
    assert.equal(await count('email = "lovelace@example.org"'), 1);
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ada' });
    assert.equal(await count('email = "lovelace@example.org"'), 0);
});

test('search: any attribute, ranges, sort, pages', async (t) => {
    const s = await people(t);
    await s.api.createGroup({ UserPoolId: s.poolId, GroupName: 'admins' });
    for (const Username of ['grace', 'ada']) await s.api.adminAddUserToGroup({ UserPoolId: s.poolId, GroupName: 'admins', Username });
    await s.api.adminDisableUser({ UserPoolId: s.poolId, Username: 'linus' });
    const find = async (query) => {
        const [status, answer] = await beside(s.server, `${s.poolId}/users?${new URLSearchParams(query)}`);
        assert.equal(status, 200, JSON.stringify([query, answer]));
        return answer.users.map((u) => u.username);
    };
    const now = Date.now();
    const rows = [
        [{}, ['ada', 'alan', 'grace', 'linus', 'Zoe']],
        [{ email: 'ADA@example.org' }, ['ada']],
        [{ 'email.contains': 'EXAMPLE.org' }, ['ada', 'alan', 'linus']],
        [{ 'email.contains': 'l_inus' }, ['linus']],
        [{ 'email.suffix': '.example' }, ['grace']],
        [{ 'email.prefix': 'a', 'custom:level.ge': '10' }, ['alan']],
        [{ 'email.exists': 'false' }, ['Zoe']],
        [{ 'email.not': 'alan@example.org' }, ['ada', 'grace', 'linus', 'Zoe']],
        [{ 'custom:team.contains': '100%' }, ['grace']],
        [{ 'custom:team': 'Engines' }, ['ada']],
        [{ 'custom:level.gt': '-2' }, ['ada', 'alan']],
        [{ 'custom:level.le': '9.0' }, ['ada', 'grace']],
        [{ 'custom:level': '9' }, ['ada']],
        [{ 'name.contains': '"t"' }, ['linus']],
        [{ 'given_name': 'Zoë' }, ['Zoe']],
        [{ 'birthdate.lt': '1910-01-01', 'birthdate.ge': '1815-12-10' }, ['ada', 'grace']],
        [{ 'created.gt': new Date(now - 3600e3).toISOString() }, ['ada', 'alan', 'grace', 'linus', 'Zoe']],
        [{ 'created.lt': '2020-01-01' }, []],
        [{ username: 'ADA' }, ['ada']],
        [{ 'username.suffix': 'e' }, ['grace', 'Zoe']],
        [{ enabled: 'false' }, ['linus']],
        [{ enabled: 'true', 'phone_number.exists': 'true' }, []],
        [{ status: 'force_change_password', group: 'admins' }, ['ada', 'grace']],
        [{ 'group.not': 'admins' }, ['alan', 'linus', 'Zoe']],
        [{ group: 'nobody' }, []],
        [{ sort: 'custom:level' }, ['grace', 'ada', 'alan', 'linus', 'Zoe']],
        [{ sort: '-custom:level' }, ['alan', 'ada', 'grace', 'linus', 'Zoe']],
        [{ sort: '-family_name', 'family_name.exists': 'true' }, ['alan', 'ada', 'grace']],
        [{ sort: '-created' }, ['Zoe', 'linus', 'grace', 'alan', 'ada']],
    ];
    for (const [query, expected] of rows) {
        assert.deepEqual(await find(query), expected, JSON.stringify(query));
        const paged = [];
        let next;
        do {
            const [, page] = await beside(s.server, `${s.poolId}/users?${new URLSearchParams({ ...query, limit: '2', ...(next && { next }) })}`);
            assert.ok(page.users.length <= 2 && paged.length < 10);
            paged.push(...page.users.map((u) => u.username));
            ({ next } = page);
        } while (next);
        assert.deepEqual(paged, expected, `in pages: ${JSON.stringify(query)}`);
    }
    const [, { users: [ada] }] = await beside(s.server, `${s.poolId}/users?username=ada`);
    assert.deepEqual(Object.keys(ada), ['username', 'sub', 'status', 'enabled', 'created', 'modified', 'attributes']);
    assert.equal(ada.attributes.family_name, 'Lovelace');

    const wrong = [
        [{ shoe: '42' }, /^Nothing to search by is called shoe/],
        [{ 'custom:level.ge': 'high' }, /wants a number/],
        [{ 'created.gt': 'yesterday' }, /wants an instant/],
        [{ 'email.contains': '' }, /wants some text/],
        [{ 'email.exists': 'maybe' }, /true or false/],
        [{ 'group.contains': 'x' }, /a group is or is not/],
        [{ limit: '0' }, /limit is a number from 1 to 10000/],
        [{ limit: '10001' }, /limit/],
        [{ sort: 'shoe' }, /^Nothing to sort by/],
        [{ next: 'x' }, /Invalid pagination token/],
        [Object.fromEntries(Array.from({ length: 17 }, (_, i) => [['email', 'name', 'sub'][i % 3] + '.' + ['is', 'not', 'contains', 'prefix', 'suffix', 'lt'][Math.floor(i / 3)], 'x'])), /At most 16/],
    ];
    for (const [query, message] of wrong) {
        const [status, answer] = await beside(s.server, `${s.poolId}/users?${new URLSearchParams(query)}`);
        assert.equal(status, 400, JSON.stringify(query));
        assert.match(answer.message, message);
    }
    assert.equal((await beside(s.server, 'us-east-1_nobody000/users'))[1].__type, 'ResourceNotFoundException');
});

test('bulk actions: a dry run first, then all of them', async (t) => {
    const s = await people(t);
    const bulk = async (action, body) => (await beside(s.server, `${s.poolId}/users/bulk?action=${action}`, body));
    const names = async (query) => (await beside(s.server, `${s.poolId}/users?${query}`))[1].users.map((u) => u.username);
    const where = { 'email.contains': '@example.org' };

    const [status, dry] = await bulk('disable', { where });
    assert.deepEqual([status, dry], [200, { action: 'disable', dryRun: true, matched: 3, changed: 0, users: ['ada', 'alan', 'linus'] }]);
    assert.deepEqual(await names('enabled=false'), []);
    assert.deepEqual((await bulk('disable', { where, apply: true }))[1].changed, 3);
    assert.deepEqual(await names('enabled=false'), ['ada', 'alan', 'linus']);
    assert.deepEqual((await bulk('disable', { where, apply: true }))[1], { action: 'disable', dryRun: false, matched: 3, changed: 0, users: ['ada', 'alan', 'linus'] }, 'a second time does nothing');
    assert.equal((await bulk('enable', { where: { enabled: 'false' }, apply: true }))[1].changed, 3, 'although the users leave the index on the way');

    await s.api.createGroup({ UserPoolId: s.poolId, GroupName: 'admins' });
    assert.equal((await bulk('add-to-group', { where, group: 'admins', apply: true }))[1].changed, 3);
    assert.deepEqual(await names('group=admins'), ['ada', 'alan', 'linus']);
    assert.equal((await bulk('remove-from-group', { where: { 'custom:level.ge': 9 }, group: 'admins', apply: true }))[1].changed, 2);
    assert.deepEqual(await names('group=admins'), ['linus']);

    await s.api.adminSetUserPassword({ UserPoolId: s.poolId, Username: 'ada', Password: 'Engine-1843!', Permanent: true });
    const { AuthenticationResult } = await signIn(s, 'ada');
    assert.equal((await bulk('sign-out', { where: { username: 'ada' }, apply: true }))[1].changed, 1);
    await refused(s.api.getUser({ AccessToken: AuthenticationResult.AccessToken }), 'NotAuthorizedException', /revoked/);
    assert.equal((await bulk('reset', { where: {}, all: true, apply: true }))[1].changed, 1, 'only who is CONFIRMED');
    await refused(signIn(s, 'ada'), 'PasswordResetRequiredException');
    await s.api.signUp({ ClientId: s.clientId, Username: 'new', Password: 'Engine-1843!' });
    assert.equal((await bulk('confirm', { where: { status: 'UNCONFIRMED' }, apply: true }))[1].changed, 1);
    await signIn(s, 'new');

    assert.equal((await bulk('delete', { where: {}, all: true }))[1].matched, 6);
    assert.equal((await bulk('delete', { where: { 'created.ge': '2020-01-01' }, apply: true }))[1].changed, 6);
    assert.deepEqual(await names(''), []);

    const wrong = [
        ['explode', { where }, /^action is one of disable, enable/],
        ['disable', { where: {} }, /"all": true/],
        ['disable', {}, /Send/],
        ['disable', '[', /Send/],
        ['disable', { where: { shoe: 1 } }, /Nothing to search by/],
        ['add-to-group', { where, group: 'nobody' }, /Group not found/],
        ['add-to-group', { where }, /Group not found/],
        ['disable', { where, next: 'x' }, /pagination/],
    ];
    for (const [action, body, message] of wrong) {
        const [bad, answer] = await bulk(action, body);
        assert.equal(bad, 400, action);
        assert.match(answer.message, message);
    }
});

test('serve mode: a search needs ListUsers, a bulk action the permission of its operation', async (t) => {
    const server = await start(t, { mode: 'serve' });
    const credentials = rootKey(server);
    const users = server.client(iam.IAMClient, { credentials });
    const { UserPool } = await api(server, { credentials }).createUserPool({ PoolName: 'shop' });
    await users.send(new iam.CreateUserCommand({ UserName: 'reader' }));
    const { AccessKey } = await users.send(new iam.CreateAccessKeyCommand({ UserName: 'reader' }));
    await users.send(new iam.PutUserPolicyCommand({
        UserName: 'reader', PolicyName: 'p',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['cognito-idp:ListUsers', 'cognito-idp:AdminEnableUser'], Resource: UserPool.Arn }] }),
    }));
    const reader = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
    const at = `${server.url}/_gatehouse/user-pools/${UserPool.Id}/users`;
    const send = (target, options) => signed(target, reader, { service: 'cognito-idp', ...options });
    assert.equal((await fetch(at)).status, 400);
    assert.equal((await send(at)).status, 200);
    const body = '{"where":{},"all":true}';
    assert.equal((await send(`${at}/bulk?action=enable`, { method: 'POST', body })).status, 200);
    const denied = await send(`${at}/bulk?action=delete`, { method: 'POST', body });
    assert.match(await denied.text(), /cognito-idp:AdminDeleteUser/);
});
