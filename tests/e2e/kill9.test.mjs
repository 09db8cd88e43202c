// kill -9 while many are being served: whatever was acknowledged before is there afterwards.
import { APIGatewayClient, CreateRestApiCommand, GetRestApisCommand } from '@aws-sdk/client-api-gateway';
import {
    CognitoIdentityProviderClient, CreateUserPoolClientCommand, CreateUserPoolCommand, ListUsersCommand, ListUserPoolsCommand, SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { CreateRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from './support/harness.mjs';

// Makes one after another until the server is gone; → the names that were acknowledged. Who is far ahead of the
// slowest kind waits for it: an account has a thousand roles at most.
async function untilKilled(make, names, { made, killed }) {
    const ahead = () => names.length > 100 + Math.min(...Object.values(made).map((others) => others.length));
    for (let n = 0; ; n++) {
        while (ahead() && !killed()) await new Promise((resolve) => setImmediate(resolve));
        const name = await make(n).catch((error) => {
            if (error.$metadata?.httpStatusCode) throw error; // an answer, and not a good one
            return undefined;
        });
        if (name === undefined) return;
        names.push(name);
    }
}

async function allOf(client, Command, input, list, name, cursor) {
    const found = [];
    let page = {};
    do {
        page = await client.send(new Command({ ...input, ...(page[cursor.from] && { [cursor.to]: page[cursor.from] }) }));
        found.push(...(page[list] ?? []).map((one) => one[name]));
    } while (page[cursor.from]);
    return new Set(found);
}

test('nothing that was acknowledged is lost', { timeout: 60000 }, async (t) => {
    const server = await start(t);
    const clients = () => ({ idp: server.client(CognitoIdentityProviderClient), iam: server.client(IAMClient), apigateway: server.client(APIGatewayClient) });
    let { idp, iam, apigateway } = clients();
    const { UserPool } = await idp.send(new CreateUserPoolCommand({ PoolName: 'first' }));
    const { UserPoolClient } = await idp.send(new CreateUserPoolClientCommand({ UserPoolId: UserPool.Id, ClientName: 'c' }));
    const made = { users: [], pools: [], roles: [], apis: [] };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '000000000000' }, Action: 'sts:AssumeRole' }] });
    let gone = false;
    const race = { made, killed: () => gone };
    const lanes = [0, 1, 2].flatMap((lane) => [
        untilKilled(async (n) => {
            const Username = `user-${lane}-${n}`;
            await idp.send(new SignUpCommand({ ClientId: UserPoolClient.ClientId, Username, Password: 'Engine-1843!' }));
            return Username;
        }, made.users, race),
        untilKilled(async (n) => (await idp.send(new CreateUserPoolCommand({ PoolName: `pool-${lane}-${n}` }))).UserPool.Id, made.pools, race),
        untilKilled(async (n) => (await iam.send(new CreateRoleCommand({ RoleName: `role-${lane}-${n}`, AssumeRolePolicyDocument }))).Role.RoleName, made.roles, race),
        untilKilled(async (n) => (await apigateway.send(new CreateRestApiCommand({ name: `api-${lane}-${n}` }))).id, made.apis, race),
    ]);
    const enough = () => Object.values(made).every((names) => names.length >= 15);
    await Promise.race([
        (async () => { while (!enough()) await new Promise((resolve) => setImmediate(resolve)); })(),
        Promise.all(lanes).then(() => assert.fail('the lanes ended by themselves')),
    ]);
    server.child.kill('SIGKILL'); // in the middle: lanes have calls under way
    gone = true;
    await Promise.all(lanes);
    await server.restart();
    ({ idp, iam, apigateway } = clients());
    const there = {
        users: await allOf(idp, ListUsersCommand, { UserPoolId: UserPool.Id }, 'Users', 'Username', { from: 'PaginationToken', to: 'PaginationToken' }),
        pools: await allOf(idp, ListUserPoolsCommand, { MaxResults: 60 }, 'UserPools', 'Id', { from: 'NextToken', to: 'NextToken' }),
        roles: await allOf(iam, ListRolesCommand, {}, 'Roles', 'RoleName', { from: 'Marker', to: 'Marker' }),
        apis: await allOf(apigateway, GetRestApisCommand, { limit: 500 }, 'items', 'id', { from: 'position', to: 'position' }),
    };
    for (const [kind, names] of Object.entries(made)) {
        assert.deepEqual(names.filter((name) => !there[kind].has(name)), [], `lost ${kind} of ${names.length}`);
        t.diagnostic(`${names.length} ${kind} acknowledged, all there`);
    }
});
