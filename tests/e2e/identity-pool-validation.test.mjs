// Bad input to every operation of identity pools, made from the model (support/validation.mjs); and too much of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './support/harness.mjs';
import { identities } from './support/identitypool.mjs';
import { validates } from './support/validation.mjs';

validates({
    service: 'cognito-identity', target: 'AWSCognitoIdentityService', count: 23, least: 150, error: 'ValidationException',
    describe: 'DescribeIdentityPool', list: 'ListIdentityPools', id: 'IdentityPoolId',
});

test('--limits aws: 25 new identities a second', async (t) => {
    const strict = await start(t, { args: ['--limits', 'aws'] });
    const api = identities(strict);
    const { IdentityPoolId } = await api.createIdentityPool({ IdentityPoolName: 'p', AllowUnauthenticatedIdentities: true });
    const answers = await Promise.all(Array.from({ length: 300 }, () => api.getId({ IdentityPoolId }).then(() => 'ok', (error) => `${error.name}: ${error.message}`)));
    assert.ok(answers.filter((a) => a === 'ok').length >= 25);
    assert.ok(answers.includes('TooManyRequestsException: Rate exceeded'));
});
