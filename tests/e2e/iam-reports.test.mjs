// What IAM tells of an account: who asked last for what, everything at once, numbers, AWS's own policies.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import * as iamSdk from '@aws-sdk/client-iam';
import * as stsSdk from '@aws-sdk/client-sts';
import * as lambdaSdk from '@aws-sdk/client-lambda';
import { account, region, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';

const cleanup = [];
let server, iam;
const calls = (client, sdk) => new Proxy({}, { get: (_, name) => (params = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](params)) });
const as = (sdk, Client, credentials) => calls(server.client(Client, credentials && { credentials }), sdk);
before(async () => {
    server = await start({ after: (fn) => cleanup.unshift(fn) });
    iam = as(iamSdk, iamSdk.IAMClient);
});
after(async () => { for (const end of cleanup) await end(); });

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, Resource = '*') => policy({ Effect: 'Allow', Action, Resource });
const fails = (name, message) => (error) => {
    assert.equal(error.name, name, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else if (message) assert.equal(error.message, message);
    return true;
};
const keysOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });
// Operations that are newer than the SDK's release, by hand. Answers the body.
async function query(Action, properties = {}) {
    const body = new URLSearchParams({ Action, Version: '2010-05-08' });
    Object.entries(properties).forEach(([key, value], i) => {
        body.set(`Properties.entry.${i + 1}.key`, key);
        body.set(`Properties.entry.${i + 1}.value`, value);
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await signed(`${server.url}/`, { accessKeyId: 'test', secretAccessKey: 'test' }, { service: 'iam', method: 'POST', headers, body: body.toString() });
    return answer.text();
}
async function user(UserName, document) {
    const { User } = await iam.createUser({ UserName });
    if (document) await iam.putUserPolicy({ UserName, PolicyName: 'own', PolicyDocument: document });
    return { ...User, keys: keysOf((await iam.createAccessKey({ UserName })).AccessKey) };
}
async function report(Arn, Granularity) {
    const { JobId } = await iam.generateServiceLastAccessedDetails({ Arn, Granularity });
    const details = await iam.getServiceLastAccessedDetails({ JobId, MaxItems: 1000 });
    assert.equal(details.JobStatus, 'COMPLETED');
    return { JobId, details, of: (namespace) => details.ServicesLastAccessed.find((one) => one.ServiceNamespace === namespace) };
}

test('access advisor tells which services a user may reach, and when each was last asked', async () => {
    const ann = await user('ann', policy({ Effect: 'Allow', Action: ['iam:Get*', 's3:*'], Resource: '*' }, { Effect: 'Deny', Action: 'lambda:*', Resource: '*' }, { Effect: 'Allow', Action: 'lambda:Get*', Resource: '*' }));
    const before = await report(ann.Arn);
    assert.deepEqual(before.details.ServicesLastAccessed.map((one) => one.ServiceNamespace), ['iam', 's3']);
    assert.deepEqual(before.of('iam'), { ServiceName: 'AWS Identity and Access Management', ServiceNamespace: 'iam', TotalAuthenticatedEntities: 0 });

    const asAnn = as(iamSdk, iamSdk.IAMClient, ann.keys);
    await asAnn.getUser();
    await assert.rejects(asAnn.listUsers(), fails('AccessDenied')); // "all attempts, not only the successful ones"
    const { JobId, of, details } = await report(ann.Arn, 'ACTION_LEVEL');
    assert.equal(details.JobType, 'ACTION_LEVEL');
    const last = of('iam');
    assert.equal(last.TotalAuthenticatedEntities, 1);
    assert.equal(last.LastAuthenticatedEntity, ann.Arn);
    assert.equal(last.LastAuthenticatedRegion, region);
    assert.ok(Math.abs(last.LastAuthenticated - Date.now()) < 60_000);
    const actions = Object.fromEntries(last.TrackedActionsLastAccessed.map((one) => [one.ActionName, one]));
    assert.equal(actions.GetUser.LastAccessedEntity, ann.Arn);
    assert.ok(actions.GetUser.LastAccessedTime instanceof Date);
    assert.deepEqual(actions.GetRole, { ActionName: 'GetRole' });
    assert.equal(actions.CreateUser, undefined); // not granted
    assert.equal(of('s3').LastAuthenticated, undefined);

    const page = await iam.getServiceLastAccessedDetails({ JobId, MaxItems: 1 });
    assert.deepEqual([page.IsTruncated, page.ServicesLastAccessed.length], [true, 1]);
    const next = await iam.getServiceLastAccessedDetails({ JobId, MaxItems: 1, Marker: page.Marker });
    assert.deepEqual([next.IsTruncated, next.ServicesLastAccessed[0].ServiceNamespace], [false, 's3']);
    // A report is what was so when it was asked for.
    const { EntityDetailsList } = await iam.getServiceLastAccessedDetailsWithEntities({ JobId: before.JobId, ServiceNamespace: 'iam' });
    assert.deepEqual(EntityDetailsList, [{ EntityInfo: { Arn: ann.Arn, Name: 'ann', Type: 'USER', Id: ann.UserId, Path: '/' } }]);
    assert.equal((await iam.getAccessKeyLastUsed({ AccessKeyId: ann.keys.accessKeyId })).AccessKeyLastUsed.ServiceName, 'iam');
});

test('access advisor of groups and policies names those who used them, the latest first', async () => {
    const [bob, cid, dan] = [await user('bob'), await user('cid'), await user('dan')];
    await iam.createGroup({ GroupName: 'readers' });
    const { Policy } = await iam.createPolicy({ PolicyName: 'readers', PolicyDocument: allow(['sts:*', 'iam:ListUsers']) });
    await iam.attachGroupPolicy({ GroupName: 'readers', PolicyArn: Policy.Arn });
    for (const { UserName } of [bob, cid]) await iam.addUserToGroup({ GroupName: 'readers', UserName });
    await iam.attachUserPolicy({ UserName: 'dan', PolicyArn: Policy.Arn });
    await as(iamSdk, iamSdk.IAMClient, bob.keys).listUsers();
    await server.fetch('/_gatehouse/clock', { method: 'POST', body: '{"advance_s": 60}' });
    await as(iamSdk, iamSdk.IAMClient, cid.keys).listUsers();
    const group = await report(`arn:aws:iam::${account}:group/readers`);
    assert.deepEqual(group.details.ServicesLastAccessed.map((one) => one.ServiceNamespace), ['iam', 'sts']);
    assert.deepEqual([group.of('iam').TotalAuthenticatedEntities, group.of('iam').LastAuthenticatedEntity], [2, cid.Arn]);
    const attached = await report(Policy.Arn);
    const list = await iam.getServiceLastAccessedDetailsWithEntities({ JobId: attached.JobId, ServiceNamespace: 'iam' });
    assert.deepEqual(list.EntityDetailsList.map((one) => [one.EntityInfo.Name, Boolean(one.LastAuthenticated)]), [['cid', true], ['bob', true], ['dan', false]]);
    const first = await iam.getServiceLastAccessedDetailsWithEntities({ JobId: attached.JobId, ServiceNamespace: 'iam', MaxItems: 2 });
    assert.deepEqual([first.EntityDetailsList.length, first.IsTruncated], [2, true]);
    const rest = await iam.getServiceLastAccessedDetailsWithEntities({ JobId: attached.JobId, ServiceNamespace: 'iam', Marker: first.Marker });
    assert.deepEqual(rest.EntityDetailsList.map((one) => one.EntityInfo.Name), ['dan']);

    const granting = await iam.listPoliciesGrantingServiceAccess({ Arn: bob.Arn, ServiceNamespaces: ['sts', 's3'] });
    assert.deepEqual(granting.PoliciesGrantingServiceAccess, [
        { ServiceNamespace: 's3', Policies: [] },
        { ServiceNamespace: 'sts', Policies: [{ PolicyName: 'readers', PolicyType: 'MANAGED', PolicyArn: Policy.Arn }] }]);
    await iam.putGroupPolicy({ GroupName: 'readers', PolicyName: 'inline', PolicyDocument: policy({ Effect: 'Allow', NotAction: 'sts:*', Resource: '*' }) });
    const more = await iam.listPoliciesGrantingServiceAccess({ Arn: bob.Arn, ServiceNamespaces: ['s3', 'sts'] });
    assert.deepEqual(more.PoliciesGrantingServiceAccess[0].Policies, [{ PolicyName: 'inline', PolicyType: 'INLINE', EntityType: 'GROUP', EntityName: 'readers' }]);
    assert.equal(more.PoliciesGrantingServiceAccess[1].Policies.length, 1);
});

test('a role that was assumed and used says so', async () => {
    const eve = await user('eve', allow('sts:AssumeRole'));
    const { Role } = await iam.createRole({ RoleName: 'worker', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Principal: { AWS: eve.Arn }, Action: 'sts:AssumeRole' }) });
    assert.deepEqual((await iam.getRole({ RoleName: 'worker' })).Role.RoleLastUsed, {});
    const { Credentials } = await as(stsSdk, stsSdk.STSClient, eve.keys).assumeRole({ RoleArn: Role.Arn, RoleSessionName: 'shift' });
    assert.deepEqual((await iam.getRole({ RoleName: 'worker' })).Role.RoleLastUsed, {});
    await assert.rejects(as(lambdaSdk, lambdaSdk.LambdaClient, keysOf(Credentials)).listFunctions(), /not authorized/);
    const { RoleLastUsed } = (await iam.getRole({ RoleName: 'worker' })).Role;
    assert.equal(RoleLastUsed.Region, region);
    assert.ok(Math.abs(RoleLastUsed.LastUsedDate - Date.now()) < 180_000);
});

test('reports refuse what they cannot know', async () => {
    const nobody = `arn:aws:iam::${account}:user/nobody`;
    await assert.rejects(iam.generateServiceLastAccessedDetails({ Arn: nobody }), fails('NoSuchEntityException', 'The user with name nobody cannot be found.'));
    await assert.rejects(iam.generateServiceLastAccessedDetails({ Arn: `arn:aws:iam::${account}:policy/nobody` }), fails('NoSuchEntityException', /^Policy .* was not found\.$/));
    await assert.rejects(iam.generateServiceLastAccessedDetails({ Arn: 'arn:aws:s3:::bucket-with-a-name' }), fails('InvalidInputException'));
    await assert.rejects(iam.generateServiceLastAccessedDetails({ Arn: nobody, Granularity: 'BYTE_LEVEL' }), fails('ValidationError'));
    for (const JobId of ['00000000-0000-4000-8000-000000000000', "' OR 1=1 --".padEnd(36, 'x')]) {
        await assert.rejects(iam.getServiceLastAccessedDetails({ JobId }), fails('NoSuchEntityException'));
        await assert.rejects(iam.getServiceLastAccessedDetailsWithEntities({ JobId, ServiceNamespace: 'iam' }), fails('NoSuchEntityException'));
    }
    await assert.rejects(iam.listPoliciesGrantingServiceAccess({ Arn: nobody, ServiceNamespaces: ['iam'] }), fails('NoSuchEntityException'));
    await assert.rejects(iam.listPoliciesGrantingServiceAccess({ Arn: nobody, ServiceNamespaces: [] }), fails('ValidationError'));
    await assert.rejects(iam.getAccountAuthorizationDetails({ Marker: '*' }), fails('ValidationError', 'Invalid Marker.'));
    await assert.rejects(iam.getAccountAuthorizationDetails({ Filter: ['Cat'] }), fails('ValidationError'));
});

test('account details come page by page, each thing once', async () => {
    const whole = await iam.getAccountAuthorizationDetails({ MaxItems: 1000 });
    const names = (all) => [...all.UserDetailList.map((one) => one.UserName), ...all.GroupDetailList.map((one) => one.GroupName),
        ...all.RoleDetailList.map((one) => one.RoleName), ...all.Policies.map((one) => one.Arn)];
    const seen = [];
    let Marker;
    do {
        const page = await iam.getAccountAuthorizationDetails({ MaxItems: 3, Marker });
        assert.ok(names(page).length <= 3);
        seen.push(...names(page));
        Marker = page.Marker;
        assert.equal(page.IsTruncated, Boolean(Marker));
    } while (Marker);
    assert.deepEqual(seen, names(whole));
    assert.ok(seen.length > 6);
    const roles = await iam.getAccountAuthorizationDetails({ Filter: ['Role'] });
    assert.deepEqual([roles.UserDetailList, roles.GroupDetailList, roles.Policies], [[], [], []]);
    assert.ok(roles.RoleDetailList.some((one) => one.RoleName === 'worker' && one.RoleLastUsed.LastUsedDate));
});

test('AWS\'s own policies: listed, read, attached, counted; those of services cannot be attached', async () => {
    const arn = (name) => `arn:aws:iam::aws:policy/${name}`;
    const list = async (params) => {
        const all = [];
        let Marker;
        do {
            const page = await iam.listPolicies({ ...params, MaxItems: 100, Marker });
            all.push(...page.Policies);
            Marker = page.Marker;
        } while (Marker);
        return all;
    };
    const aws = await list({ Scope: 'AWS' });
    assert.ok(aws.length > 200);
    for (const name of ['AdministratorAccess', 'PowerUserAccess', 'ReadOnlyAccess', 'IAMFullAccess', 'SecurityAudit', 'job-function/ViewOnlyAccess', 'service-role/AWSLambdaBasicExecutionRole',
        'AmazonAPIGatewayInvokeFullAccess', 'service-role/AmazonAPIGatewayPushToCloudWatchLogs', 'AmazonCognitoPowerUser', 'AWSXRayDaemonWriteAccess', 'CloudWatchLogsFullAccess', 'AmazonS3ReadOnlyAccess',
        'AmazonDynamoDBFullAccess', 'AmazonSQSFullAccess', 'AmazonSNSFullAccess'])
        assert.ok(aws.some((one) => one.Arn === arn(name)), name);
    assert.ok((await list({ Scope: 'AWS', PathPrefix: '/service-role/' })).every((one) => one.Path.startsWith('/service-role/')));
    assert.ok((await list({ Scope: 'Local' })).every((one) => one.Arn.includes(account)));

    const { Policy } = await iam.getPolicy({ PolicyArn: arn('PowerUserAccess') });
    const { PolicyVersion } = await iam.getPolicyVersion({ PolicyArn: arn('PowerUserAccess'), VersionId: Policy.DefaultVersionId });
    assert.ok(PolicyVersion.IsDefaultVersion);
    assert.ok(JSON.parse(decodeURIComponent(PolicyVersion.Document)).Statement[0].NotAction.includes('iam:*'));
    assert.deepEqual((await iam.listPolicyVersions({ PolicyArn: arn('PowerUserAccess') })).Versions.map((one) => one.VersionId), [Policy.DefaultVersionId]);
    await assert.rejects(iam.getPolicyVersion({ PolicyArn: arn('PowerUserAccess'), VersionId: 'v9999' }), fails('NoSuchEntityException'));
    await assert.rejects(iam.deletePolicy({ PolicyArn: arn('PowerUserAccess') }), /.+/);

    const fay = await user('fay');
    await iam.attachUserPolicy({ UserName: 'fay', PolicyArn: arn('IAMReadOnlyAccess') });
    await iam.putUserPermissionsBoundary({ UserName: 'fay', PermissionsBoundary: arn('PowerUserAccess') });
    await assert.rejects(as(iamSdk, iamSdk.IAMClient, fay.keys).listUsers(), fails('AccessDenied', /permissions boundary/));
    assert.deepEqual((await list({ Scope: 'AWS', OnlyAttached: true, PolicyUsageFilter: 'PermissionsBoundary' })).map((one) => [one.PolicyName, one.PermissionsBoundaryUsageCount]), [['PowerUserAccess', 1]]);
    assert.deepEqual((await list({ Scope: 'AWS', OnlyAttached: true, PolicyUsageFilter: 'PermissionsPolicy' })).map((one) => [one.PolicyName, one.AttachmentCount]), [['IAMReadOnlyAccess', 1]]);
    const page = await iam.listEntitiesForPolicy({ PolicyArn: arn('IAMReadOnlyAccess'), MaxItems: 1 });
    assert.deepEqual([page.PolicyUsers.map((one) => one.UserName), page.IsTruncated], [['fay'], false]);
    await assert.rejects(iam.attachRolePolicy({ RoleName: 'worker', PolicyArn: arn('aws-service-role/APIGatewayServiceRolePolicy') }),
        fails('PolicyNotAttachableException', 'Cannot attach a Service Role Policy to a Customer Role.'));
});

test('versions and owners of a policy come in pages', async () => {
    const { Policy: { Arn: PolicyArn } } = await iam.createPolicy({ PolicyName: 'many', PolicyDocument: allow('s3:Get*') });
    for (let i = 0; i < 3; i++) await iam.createPolicyVersion({ PolicyArn, PolicyDocument: allow('s3:List*') });
    const first = await iam.listPolicyVersions({ PolicyArn, MaxItems: 3 });
    assert.deepEqual([first.Versions.map((one) => one.VersionId), first.IsTruncated], [['v4', 'v3', 'v2'], true]);
    assert.deepEqual((await iam.listPolicyVersions({ PolicyArn, Marker: first.Marker })).Versions.map((one) => one.VersionId), ['v1']);
    await iam.attachUserPolicy({ UserName: 'fay', PolicyArn });
    await iam.attachGroupPolicy({ GroupName: 'readers', PolicyArn });
    await iam.attachRolePolicy({ RoleName: 'worker', PolicyArn });
    const seen = [];
    let Marker;
    do {
        const page = await iam.listEntitiesForPolicy({ PolicyArn, MaxItems: 1, Marker });
        seen.push(...page.PolicyGroups.map((one) => one.GroupName), ...page.PolicyRoles.map((one) => one.RoleName), ...page.PolicyUsers.map((one) => one.UserName));
        Marker = page.Marker;
    } while (Marker);
    assert.deepEqual(seen, ['readers', 'worker', 'fay']);
});

test('numbers, properties and switches of an account', async () => {
    const summary = async () => (await iam.getAccountSummary()).SummaryMap;
    const before = await summary();
    await iam.createOpenIDConnectProvider({ Url: 'https://one.example' });
    await iam.setSecurityTokenServicePreferences({ GlobalEndpointTokenVersion: 'v2Token' });
    const now = await summary();
    assert.deepEqual([now.Providers - before.Providers, before.GlobalEndpointTokenVersion, now.GlobalEndpointTokenVersion], [1, 1, 2]);
    for (const name of ['Users', 'UsersQuota', 'Groups', 'GroupsQuota', 'GroupsPerUserQuota', 'Roles', 'RolesQuota', 'Policies', 'PoliciesQuota', 'PolicySizeQuota', 'PolicyVersionsInUse', 'PolicyVersionsInUseQuota',
        'VersionsPerPolicyQuota', 'UserPolicySizeQuota', 'GroupPolicySizeQuota', 'RolePolicySizeQuota', 'AssumeRolePolicySizeQuota', 'AttachedPoliciesPerUserQuota', 'AttachedPoliciesPerGroupQuota', 'AttachedPoliciesPerRoleQuota',
        'AccessKeysPerUserQuota', 'SigningCertificatesPerUserQuota', 'ServerCertificates', 'ServerCertificatesQuota', 'InstanceProfiles', 'InstanceProfilesQuota', 'MFADevices', 'MFADevicesInUse', 'AccountMFAEnabled',
        'AccountAccessKeysPresent', 'AccountPasswordPresent', 'AccountSigningCertificatesPresent', 'Providers', 'GlobalEndpointTokenVersion'])
        assert.ok(Number.isInteger(now[name]), name);
    await assert.rejects(iam.setSecurityTokenServicePreferences({ GlobalEndpointTokenVersion: 'v3Token' }), fails('ValidationError'));

    assert.match(await query('GetAccountProperties'), /<Properties ?\/?>/);
    await query('PutAccountProperties', { 'RoleManager/Enabled': 'true', 'RoleManager/Mode': 'strict' });
    await query('PutAccountProperties', { 'RoleManager/Mode': 'lax' });
    const shown = await query('GetAccountProperties');
    assert.deepEqual([...shown.matchAll(/<key>(.*?)<\/key><value>(.*?)<\/value>/g)].map((m) => m.slice(1)), [['RoleManager/Enabled', 'true'], ['RoleManager/Mode', 'lax']]);
    for (const properties of [{}, { NoSlash: 'x' }, { 'A/B/C': 'x' }, { 'A/B': 'x', 'C/D': 'y' }])
        assert.match(await query('PutAccountProperties', properties), /<Code>(InvalidInput|ValidationError)<\/Code>/, JSON.stringify(properties));
    assert.match(await query('PutAccountProperties', { '/B': 'x' }), /<Code>ValidationError<\/Code>/);

    await assert.rejects(iam.getOutboundWebIdentityFederationInfo(), fails('FeatureDisabledException'));
    const { IssuerIdentifier } = await iam.enableOutboundWebIdentityFederation();
    assert.ok(IssuerIdentifier.startsWith(`${server.url}/`));
    await assert.rejects(iam.enableOutboundWebIdentityFederation(), fails('FeatureEnabledException'));
    const info = await iam.getOutboundWebIdentityFederationInfo();
    assert.deepEqual([info.IssuerIdentifier, info.JwtVendingEnabled], [IssuerIdentifier, true]);
    await iam.disableOutboundWebIdentityFederation();
    await assert.rejects(iam.disableOutboundWebIdentityFederation(), fails('FeatureDisabledException'));
    assert.equal((await iam.enableOutboundWebIdentityFederation()).IssuerIdentifier, IssuerIdentifier); // the account's own for ever
});

test('without an organization and without templates, AWS\'s answers for that', async () => {
    for (const name of ['listOrganizationsFeatures', 'enableOrganizationsRootSessions', 'disableOrganizationsRootSessions', 'enableOrganizationsRootCredentialsManagement', 'disableOrganizationsRootCredentialsManagement'])
        await assert.rejects(iam[name](), fails('OrganizationNotFoundException', 'The request was rejected because no organization is associated with your account.'), name);
    for (const name of ['GetRoleTemplateVersion', 'AcquireRole'])
        assert.match(await query(name, {}), /<Code>ValidationError<\/Code>/, name); // TemplateArn is missing
    await assert.rejects(iam.getOrganizationsAccessReport({ JobId: '00000000-0000-4000-8000-000000000000' }), fails('NoSuchEntityException'));
});
