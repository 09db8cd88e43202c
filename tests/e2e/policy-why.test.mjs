// Decisions explain themselves, guard rails stop everybody, and the simulator decides as enforcement does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';

import { api, control, mock } from './support/apis.mjs';
import { account, binary, region, request, run, scratch, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const short = (sdk, client) => new Proxy({}, { get: (_, name) => (input) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input ?? {})) });
const document = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, Resource = '*', more) => ({ Effect: 'Allow', Action, Resource, ...more });
const deny = (Action, Resource = '*', more) => ({ Effect: 'Deny', Action, Resource, ...more });
const user = (name) => `arn:aws:iam::${account}:user/${name}`;
const role = (name) => `arn:aws:iam::${account}:role/${name}`;
const FULL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

async function person(server, name, ...statements) {
    const people = short(iam, server.client(iam.IAMClient));
    await people.createUser({ UserName: name });
    if (statements.length) await people.putUserPolicy({ UserName: name, PolicyName: 'Own', PolicyDocument: document(...statements) });
    const { AccessKey } = await people.createAccessKey({ UserName: name });
    return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}
const people = (server, credentials) => short(iam, server.client(iam.IAMClient, credentials && { credentials }));
const plain = { accessKeyId: 'test', secretAccessKey: 'test' };
const read = async (response) => {
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), text, json: () => JSON.parse(text) };
};
const ours = async (server, method, target, body, credentials = plain) =>
    read(await signed(`${server.url}/_gatehouse/${target}`, credentials, { method, service: 'iam', body: typeof body === 'object' ? JSON.stringify(body) : body }));
const rail = async (server, kind, name, body, status = 200) => {
    const answer = await ours(server, 'PUT', `guard-rails/${kind}/${name}`, body);
    assert.equal(answer.status, status, answer.text);
    return answer;
};
const off = async (server, kind, name) => assert.equal((await ours(server, 'DELETE', `guard-rails/${kind}/${name}`)).status, 204);

test('policies explain themselves', async (t) => {
    const server = await start(t);
    const root = people(server);

    await t.test('guard rails: a service control policy stops an administrator, root and a session, in management and at APIs', async () => {
        const admin = await person(server, 'admin', allow('*'));
        await root.createRole({ RoleName: 'Boss', AssumeRolePolicyDocument: document({ Effect: 'Allow', Principal: { AWS: user('admin') }, Action: 'sts:AssumeRole' }) });
        await root.putRolePolicy({ RoleName: 'Boss', PolicyName: 'All', PolicyDocument: document(allow('*')) });
        const { Credentials: c } = await short(sts, server.client(sts.STSClient, { credentials: admin })).assumeRole({ RoleArn: role('Boss'), RoleSessionName: 'session' });
        const session = { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken };
        const one = await api(server, { 'GET /a': { method: { authorizationType: 'AWS_IAM' }, integration: mock } }, { name: 'guarded' });
        const visit = async (credentials) => read(await signed(`${one.url}/a`, credentials ?? plain));
        const everybody = { admin, root: undefined, session };
        const look = (credentials) => people(server, credentials).listUsers();
        for (const credentials of Object.values(everybody)) await look(credentials);
        await rail(server, 'service', 'NoUsersNoApis', document({ Sid: 'Off', ...deny(['iam:ListUsers', 'execute-api:Invoke']) }));
        for (const [name, credentials] of Object.entries(everybody)) {
            await assert.rejects(look(credentials), { name: 'AccessDenied', message: /is not authorized to perform: iam:ListUsers on resource: .* with an explicit deny in a service control policy$/ }, name);
            await people(server, credentials).listRoles(); // what it does not name goes on
            const answer = await visit(credentials);
            assert.equal(answer.status, 403, name);
            assert.match(answer.json().Message, /with an explicit deny in a service control policy$/, name);
            const trace = (await request(`${server.url}/_gatehouse/why/${answer.headers['x-gatehouse-trace']}`)).text;
            assert.match(trace, /denied by statement 1 \(Sid Off\) of service control policy NoUsersNoApis, line 1 column 38/);
            assert.match(trace, /remove statement 1 \(Sid Off\) of service control policy NoUsersNoApis/);
        }
        const who = await short(sts, server.client(sts.STSClient, { credentials: session })).getCallerIdentity();
        assert.match(who.Arn, /assumed-role\/Boss\/session$/); // "cannot be denied"
        await off(server, 'service', 'NoUsersNoApis');
        for (const credentials of Object.values(everybody)) await look(credentials);
        assert.equal((await visit(session)).status, 200);
    });

    await t.test('guard rails: an allow list, FullAWSAccess detached; resources; service-linked roles; what is refused', async () => {
        assert.deepEqual((await ours(server, 'GET', 'guard-rails/')).json(), { service: [{ name: 'FullAWSAccess', document: JSON.stringify(FULL) }],
            resource: [{ name: 'RCPFullAWSAccess', document: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] }) }] });
        assert.equal((await ours(server, 'DELETE', 'guard-rails/service/FullAWSAccess')).status, 400); // one at least
        await rail(server, 'service', 'OnlyRoles', document(allow(['iam:*Role*', 'sts:*'])));
        await root.listUsers();
        await off(server, 'service', 'FullAWSAccess');
        await assert.rejects(root.listUsers(), { name: 'AccessDenied', message: /because no service control policy allows the iam:ListUsers action$/ });
        await root.listRoles();
        await rail(server, 'service', 'FullAWSAccess', FULL);
        await root.listUsers();
        await off(server, 'service', 'OnlyRoles');

        const nobody = { Effect: 'Deny', Principal: '*', Action: 'iam:*', Resource: role('Boss') };
        await rail(server, 'resource', 'KeepBoss', document(nobody));
        await assert.rejects(root.getRole({ RoleName: 'Boss' }), { name: 'AccessDenied', message: /with an explicit deny in a resource control policy$/ });
        await root.listRoles();
        await rail(server, 'resource', 'KeepBoss', document({ ...nobody, Action: 'sts:AssumeRole' }));
        const admin = short(sts, server.client(sts.STSClient, { credentials: await person(server, 'admin2', allow('*')) }));
        await root.updateAssumeRolePolicy({ RoleName: 'Boss', PolicyDocument: document({ Effect: 'Allow', Principal: { AWS: user('admin2') }, Action: 'sts:AssumeRole' }) });
        await assert.rejects(admin.assumeRole({ RoleArn: role('Boss'), RoleSessionName: 'session' }), { name: 'AccessDenied', message: /with an explicit deny in a resource control policy$/ });
        await off(server, 'resource', 'KeepBoss');
        await admin.assumeRole({ RoleArn: role('Boss'), RoleSessionName: 'session' });

        for (const [kind, name, body, status, code] of [
            ['service', 'x', '{"Version"', 400, 'MalformedPolicyDocumentException'],
            ['service', 'x', document({ ...deny('*'), Principal: '*' }), 400, 'MalformedPolicyDocumentException'],
            ['resource', 'x', document(allow('*')), 400, 'MalformedPolicyDocumentException'],
            ['resource', 'x', document(deny('s3:*', 'x'.repeat(6000))), 400, 'MalformedPolicyDocumentException'],
            ['service', 'FullAWSAccess', document(allow('iam:*')), 400, 'InvalidInputException'],
            ['service', 'a b', document(deny('*')), 400, 'InvalidInputException'],
            ['both', 'x', document(deny('*')), 400, 'InvalidInputException'],
        ]) {
            const answer = await rail(server, kind, encodeURIComponent(name), body, status);
            assert.match(answer.text, new RegExp(`<Code>${code}</Code>`));
        }
        for (let i = 0; i < 4; i++) await rail(server, 'service', `n${i}`, document(deny('s3:*')));
        assert.match((await rail(server, 'service', 'n5', document(deny('s3:*')), 400)).text, /ConstraintViolationException/);
        for (let i = 0; i < 4; i++) await off(server, 'service', `n${i}`);
        assert.equal((await ours(server, 'GET', 'guard-rails/service/n0')).status, 404);
        const clerk = await person(server, 'clerk', allow('iam:*'));
        const refused = await ours(server, 'PUT', 'guard-rails/service/x', document(deny('*')), clerk);
        assert.deepEqual([refused.status, /not authorized to perform: organizations:UpdatePolicy/.test(refused.text)], [403, true]);
    });

    await t.test('Explain: a principal with all it has, by statement, line, column, condition and value', async () => {
        await person(server, 'ann', { Sid: 'Home', ...allow('lambda:Invoke*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }) });
        const ask = async (more, credentials) => {
            const answer = await ours(server, 'POST', 'policy/explain', { principal: user('ann'), action: 'lambda:InvokeFunction', resource: `arn:aws:lambda:${region}:${account}:function:f`, ...more }, credentials);
            assert.equal(answer.status, 200, answer.text);
            return answer.json();
        };
        const no = await ask({ context: { 'aws:SourceIp': '192.0.2.1' } });
        assert.equal(no.decision, 'implicitDeny');
        assert.match(no.message, /because no identity-based policy allows the lambda:InvokeFunction action$/);
        const [home] = no.layers.find(({ layer }) => layer === 'identity-based policy').statements;
        assert.deepEqual(home, { policy: 'Own', statement: 1, sid: 'Home', line: 1, column: 38, effect: 'Allow', applies: false, failed: 'condition',
            conditions: [{ operator: 'IpAddress', key: 'aws:SourceIp', expected: ['10.0.0.0/8'], actual: ['192.0.2.1'], holds: false }] });
        assert.equal(no.toChange[0].kind, 'context');
        // What it proposes is tried.
        const yes = await ask({ context: { 'aws:SourceIp': no.toChange[0].example } });
        assert.deepEqual([yes.allowed, yes.decidedBy.sid], [true, 'Home']);
        assert.match(yes.reason, /^allowed by statement 1 \(Sid Home\) of identity-based policy Own, line 1 column 38$/);
        assert.match(no.text, /identity-based policy: allows nothing\n {4}statement 1 \(Sid Home\) of Own, line 1 column 38: would allow/);
        assert.deepEqual((await ask({})).missingContext, ['aws:SourceIp']);
        // What if: another policy beside its own, a boundary in place of none.
        assert.equal((await ask({ policies: { identity: [document(allow('lambda:*'))] } })).allowed, true);
        assert.match((await ask({ policies: { identity: document(allow('lambda:*')), boundary: document(allow('s3:*')) } })).reason, /no permissions boundary allows/);
        const assumed = await ask({ principal: user('admin2'), action: 'sts:AssumeRole', resource: role('Boss') });
        assert.match(assumed.reason, /^allowed by statement 1 of role trust policy Boss/);
        const stranger = await ask({ action: 'sts:AssumeRole', resource: role('Boss') });
        assert.deepEqual(stranger.toChange.map(({ layer, kind }) => [layer, kind]), [['role trust policy', 'add']]);
        for (const [body, status] of [['{', 400], [{}, 400], [{ action: 'a:B', principal: user('nobody') }, 404], [{ action: 'a:B', policies: { identity: '{}' } }, 400]])
            assert.equal((await ours(server, 'POST', 'policy/explain', body)).status, status, JSON.stringify(body));
        const clerk = await person(server, 'clerk2', allow('iam:SimulateCustomPolicy'));
        assert.equal((await ours(server, 'POST', 'policy/explain', { action: 'a:B', policies: { identity: document(allow('*')) } }, clerk)).json().allowed, true);
        assert.equal((await ours(server, 'POST', 'policy/explain', { action: 'a:B', principal: user('ann') }, clerk)).status, 403);
    });

    await t.test('the command line: of a server, and of files; guard rails', async () => {
        const folder = scratch(t);
        const file = path.join(folder, 'own.json');
        fs.writeFileSync(file, `{ "Version": "2012-10-17",\n  "Statement": [\n    ${JSON.stringify(allow('s3:Get*', 'arn:aws:s3:::b/*'))} ] }\n`);
        const cli = (...args) => run(binary(), args, { env: { AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } });
        const there = await cli('policy', 'explain', user('ann'), 'lambda:InvokeFunction', '*', 'aws:SourceIp=192.0.2.1');
        assert.deepEqual([there.code, /^denied: no identity-based policy allows lambda:InvokeFunction\n/.test(there.stdout)], [2, true], there.stdout + there.stderr);
        const here = await cli('policy', 'explain', user('x'), 's3:GetObject', 'arn:aws:s3:::b/k', '--identity', file);
        assert.deepEqual([here.code, here.stdout.split('\n')[0]], [0, `allowed by statement 1 of identity-based policy ${file}, line 3 column 5`], here.stderr);
        fs.writeFileSync(path.join(folder, 'scp.json'), document(deny('s3:*')));
        const stopped = await cli('policy', 'explain', user('x'), 's3:GetObject', 'arn:aws:s3:::b/k', '--identity', file, '--scp', path.join(folder, 'scp.json'), '--json');
        assert.deepEqual([stopped.code, JSON.parse(stopped.stdout).decidedBy.layer], [2, 'service control policy']);
        for (const bad of [['policy', 'explain'], ['policy', 'explain', 'ann', 'x:Y', '--offline'], ['policy', 'explain', user('x'), 'x:Y', '--identity', '/nowhere'], ['policy', 'explain', user('x'), 'x:Y', '--what'], ['guard-rail'], ['guard-rail', 'show', 'service', 'none']])
            assert.equal((await cli(...bad)).code, 1, bad.join(' '));
        assert.equal((await cli('guard-rail', 'put', 'service', 'NoS3', path.join(folder, 'scp.json'))).code, 0);
        assert.match((await cli('guard-rail', 'list')).stdout, /^service {2}NoS3\nservice {2}FullAWSAccess\nresource RCPFullAWSAccess\n$/);
        assert.equal((await cli('guard-rail', 'show', 'service', 'NoS3')).stdout.trim(), document(deny('s3:*')));
        assert.equal((await cli('guard-rail', 'remove', 'service', 'NoS3')).code, 0);
    });

    await t.test('SimulateCustomPolicy: every field', async () => {
        const ask = async (more) => (await root.simulateCustomPolicy({ PolicyInputList: [document(allow('s3:Get*', 'arn:aws:s3:::b/*'), deny('s3:GetSecret'))], ActionNames: ['s3:GetObject'], ...more })).EvaluationResults;
        const policy = { Principal: { AWS: `arn:aws:iam::111122223333:user/cy` }, Effect: 'Allow', Action: 's3:*', Resource: '*' };
        const [both] = await ask({ ActionNames: ['s3:GetObject'], ResourceArns: ['arn:aws:s3:::b/k', 'arn:aws:s3:::c/k'] });
        assert.deepEqual([both.EvalDecision, both.ResourceSpecificResults.map((one) => one.EvalResourceDecision)], ['implicitDeny', ['allowed', 'implicitDeny']]);
        const [matched] = both.ResourceSpecificResults[0].MatchedStatements;
        assert.deepEqual([matched.SourcePolicyId, matched.SourcePolicyType, matched.StartPosition.Line, matched.StartPosition.Column], ['PolicyInputList.1', 'IAM Policy', 1, 39]);
        assert.equal((await ask({ ActionNames: ['s3:GetSecret'], ResourceArns: ['arn:aws:s3:::b/k'] }))[0].MatchedStatements.length, 1); // the deny alone
        const [far] = await ask({ ResourceArns: ['arn:aws:s3:::b/k'], ResourcePolicy: document(policy), CallerArn: 'arn:aws:iam::111122223333:user/cy', ResourceOwner: 'arn:aws:iam::444455556666:root' });
        assert.deepEqual([far.EvalDecision, far.EvalDecisionDetails], ['allowed', { 'IAM Policy': 'allowed', 'Resource Policy': 'allowed' }]);
        const [half] = await ask({ ResourceArns: ['arn:aws:s3:::c/k'], ResourcePolicy: document(policy), CallerArn: 'arn:aws:iam::111122223333:user/cy', ResourceOwner: 'arn:aws:iam::444455556666:root' });
        assert.deepEqual([half.EvalDecision, half.EvalDecisionDetails], ['implicitDeny', { 'IAM Policy': 'implicitDeny', 'Resource Policy': 'allowed' }]);
        const [near] = await ask({ ResourceArns: ['arn:aws:s3:::c/k'], ResourcePolicy: document(policy), CallerArn: 'arn:aws:iam::111122223333:user/cy' });
        assert.deepEqual([near.EvalDecision, near.MatchedStatements.map((one) => one.SourcePolicyType)], ['allowed', ['Resource Policy']]);
        const [bounded] = await ask({ ResourceArns: ['arn:aws:s3:::b/k'], PermissionsBoundaryPolicyInputList: [document(allow('iam:*'))] });
        assert.deepEqual([bounded.EvalDecision, bounded.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary], ['implicitDeny', false]);
        // Levels of an organization, which the SDK here does not know yet.
        const levelled = async (levels) => {
            const form = new URLSearchParams({ Action: 'SimulateCustomPolicy', Version: '2010-05-08', 'PolicyInputList.member.1': document(allow('s3:*')), 'ActionNames.member.1': 's3:GetObject', 'ResourceArns.member.1': 'arn:aws:s3:::b/k' });
            levels.forEach((text, i) => form.set(`OrderedOrganizationPolicyInputList.member.${i + 1}.ServiceControlPolicyInputList.member.1`, text));
            return read(await signed(server.url, plain, { method: 'POST', service: 'iam', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() }));
        };
        for (const [levels, decision, allowed] of [[[document(allow('*')), document(allow('s3:*'))], 'allowed', true], [[document(allow('*')), document(allow('iam:*'))], 'implicitDeny', false], [[document(allow('*'), deny('s3:*')), document(allow('*'))], 'explicitDeny', false]]) {
            const { text } = await levelled(levels);
            assert.deepEqual([/<EvalDecision>(\w+)/.exec(text)?.[1], /<AllowedByOrganizations>(\w+)/.exec(text)?.[1]], [decision, String(allowed)], text);
        }
        assert.equal((await levelled(['{}'])).status, 400);
        const keys = document(allow('s3:Get*', 'arn:aws:s3:::${aws:username}/*', { Condition: { StringEquals: { 's3:prefix': 'x' } } }));
        assert.deepEqual((await ask({ PolicyInputList: [keys], ContextEntries: [{ ContextKeyName: 's3:prefix', ContextKeyType: 'string', ContextKeyValues: ['x'] }] }))[0].MissingContextValues, ['aws:username']);
        assert.deepEqual((await root.getContextKeysForCustomPolicy({ PolicyInputList: [keys] })).ContextKeyNames.sort(), ['aws:username', 's3:prefix']);
        const pages = [];
        for (let Marker; pages.length < 3;) {
            const page = await root.simulateCustomPolicy({ PolicyInputList: [keys], ActionNames: ['s3:A', 's3:B', 's3:C'], MaxItems: 1, Marker });
            pages.push([page.EvaluationResults[0].EvalActionName, page.IsTruncated]);
            Marker = page.Marker;
        }
        assert.deepEqual(pages, [['s3:A', true], ['s3:B', true], ['s3:C', false]]);
        for (const bad of [{ ResourcePolicy: document(policy) }, { CallerArn: role('x') }, { ResourceOwner: 'me', CallerArn: user('x') }, { ResourceHandlingOption: 'EC2-Moon' }, { ResourceHandlingOption: 'EC2-VPC-EBS' }, { PolicyInputList: ['{'] }, { ResourcePolicy: '{', CallerArn: user('x') },
            { PermissionsBoundaryPolicyInputList: ['{}'] }])
            await assert.rejects(ask(bad), { name: 'InvalidInputException' }, JSON.stringify(bad));
        await assert.rejects(root.simulatePrincipalPolicy({ PolicySourceArn: role('Boss'), ActionNames: ['s3:A'], ResourcePolicy: document(policy) }), { name: 'InvalidInputException' });
    });

    // Twelve people with policies drawn at random in every layer there is; each call is simulated, then made.
    await t.test('the simulator and enforcement decide alike', async () => {
        let state = 20261121;
        const draw = (list) => list[(state = (state * 1103515245 + 12345) % 2147483648) % list.length];
        const actions = ['iam:*', 'iam:Get*', 'iam:List*', '*', 'iam:GetUser', 'iam:ListUsers', 'iam:GetRole', 'iam:ListRoles'];
        const resources = ['*', '*', user('*'), user('sim-0'), role('*'), role('Boss')];
        const conditions = [undefined, undefined, undefined, { StringEquals: { 'aws:username': ['sim-0', 'sim-1', 'sim-2', 'sim-3'] } }, { StringLike: { 'aws:PrincipalArn': '*sim-?' } }, { Bool: { 'aws:SecureTransport': 'true' } },
            { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, { Null: { 'aws:MultiFactorAuthPresent': 'true' } }, { StringNotEquals: { 'aws:PrincipalTag/team': 'red' } }];
        const statement = () => ({ Effect: draw(['Allow', 'Allow', 'Allow', 'Deny']), Action: draw(actions), Resource: draw(resources), Condition: draw(conditions) });
        const some = () => document(...Array.from({ length: 1 + (draw([0, 1, 2])) }, statement));
        const calls = [['ListUsers', undefined, {}], ['ListRoles', undefined, {}], ['GetUser', user('sim-0'), { UserName: 'sim-0' }], ['GetUser', user('sim-1'), { UserName: 'sim-1' }], ['GetRole', role('Boss'), { RoleName: 'Boss' }]];
        const asked = [];
        for (let i = 0; i < 12; i++) {
            const name = `sim-${i}`;
            const credentials = await person(server, name);
            await root.putUserPolicy({ UserName: name, PolicyName: 'One', PolicyDocument: some() });
            await root.putUserPolicy({ UserName: name, PolicyName: 'Two', PolicyDocument: some() });
            if (i % 3 === 0) {
                const { Policy } = await root.createPolicy({ PolicyName: `bound-${i}`, PolicyDocument: some() });
                await root.putUserPermissionsBoundary({ UserName: name, PermissionsBoundary: Policy.Arn });
            }
            asked.push([name, credentials]);
        }
        const seen = {};
        const compare = async () => {
            for (const [name, credentials] of asked) {
                const context = { 'aws:username': name, 'aws:PrincipalArn': user(name), 'aws:SecureTransport': 'false', 'aws:SourceIp': '127.0.0.1' };
                const entries = Object.entries(context).map(([ContextKeyName, value]) => ({ ContextKeyName, ContextKeyType: ContextKeyName === 'aws:SourceIp' ? 'ip' : 'string', ContextKeyValues: [value] }));
                for (const [operation, resource, input] of calls) {
                    const action = `iam:${operation}`;
                    const { EvaluationResults: [simulated] } = await root.simulatePrincipalPolicy({ PolicySourceArn: user(name), ActionNames: [action], ResourceArns: resource && [resource], ContextEntries: entries });
                    const real = await people(server, credentials)[operation[0].toLowerCase() + operation.slice(1)](input).then(() => 'allowed', (error) => (assert.equal(error.name, 'AccessDenied', error.message), /explicit deny/.test(error.message) ? 'explicitDeny' : 'implicitDeny'));
                    assert.equal(simulated.EvalDecision, real, `${name} ${action} ${resource}`);
                    seen[real] = (seen[real] ?? 0) + 1;
                }
            }
        };
        await compare();
        await rail(server, 'service', 'Random', document(deny('iam:GetUser', user('sim-0')), deny('iam:ListRoles', '*', { Condition: { StringEquals: { 'aws:username': 'sim-2' } } })));
        await compare();
        await off(server, 'service', 'Random');
        assert.ok(seen.allowed > 10 && seen.implicitDeny > 10 && seen.explicitDeny > 10, JSON.stringify(seen));
    });
});

test('guard rails outlive a restart', async (t) => {
    const data = scratch(t);
    const first = await start(t, { data });
    await rail(first, 'service', 'NoRoles', document(deny('iam:ListRoles')));
    await first.stop();
    const second = await start(t, { data });
    await assert.rejects(people(second).listRoles(), { name: 'AccessDenied', message: /with an explicit deny in a service control policy$/ });
    await people(second).listUsers();
    assert.equal((await ours(second, 'GET', 'guard-rails/service/NoRoles')).json().document, document(deny('iam:ListRoles')));
});
