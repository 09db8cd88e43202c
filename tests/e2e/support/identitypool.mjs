// An identity pool of one's own, with roles that trust it.
import * as ci from '@aws-sdk/client-cognito-identity';
import * as iam from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { account } from './harness.mjs';

const short = (sdk, client) =>
    new Proxy({}, { get: (_, name) => (input = {}) => client.send(new sdk[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)) });

// api.getId({…}) instead of client.send(new GetIdCommand({…})).
export const identities = (server, options) => short(ci, server.client(ci.CognitoIdentityClient, options));
export const people = (server, options) => short(iam, server.client(iam.IAMClient, options));

// The trust policy that AWS's console writes; amr null: whoever.
export const trust = (poolId, amr = 'authenticated', { tags = false } = {}) => JSON.stringify({
    Version: '2012-10-17',
    Statement: [{
        Effect: 'Allow', Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Action: ['sts:AssumeRoleWithWebIdentity', ...(tags ? ['sts:TagSession'] : [])],
        Condition: {
            StringEquals: { 'cognito-identity.amazonaws.com:aud': poolId },
            ...(amr && { 'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': amr } }),
        },
    }],
});
export const arnOf = (name) => `arn:aws:iam::${account}:role/${name}`;
export async function role(server, RoleName, AssumeRolePolicyDocument, statements = []) {
    const api = people(server);
    await api.createRole({ RoleName, AssumeRolePolicyDocument });
    if (statements.length)
        await api.putRolePolicy({ RoleName, PolicyName: 'may', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: statements }) });
    return arnOf(RoleName);
}

let made = 0;
// What GetCredentialsForIdentity needs: `users` (of addPool) may sign in; roles for them and for guests.
export async function addIdentityPool(server, { users, pool = {}, entry = {}, may = [], tags = false } = {}) {
    const api = identities(server), n = ++made;
    const { IdentityPoolId: id } = await api.createIdentityPool({
        IdentityPoolName: `shop ${n}`, AllowUnauthenticatedIdentities: true,
        ...(users && { CognitoIdentityProviders: [{ ProviderName: providerName(users.poolId), ClientId: users.clientId, ...entry }] }), ...pool,
    });
    const roles = {
        authenticated: await role(server, `in-${n}`, trust(id, 'authenticated', { tags }), may),
        unauthenticated: await role(server, `guest-${n}`, trust(id, 'unauthenticated'), may),
    };
    await api.setIdentityPoolRoles({ IdentityPoolId: id, Roles: roles });
    return { server, api, id, n, roles, users };
}
export const providerName = (userPoolId) => `cognito-idp.${userPoolId.split('_')[0]}.amazonaws.com/${userPoolId}`;
export const credentialsOf = ({ Credentials: c }) => ({ accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretKey, sessionToken: c.SessionToken });
export const callerOf = async (server, credentials) => (await server.client(STSClient, { credentials }).send(new GetCallerIdentityCommand({}))).Arn;
