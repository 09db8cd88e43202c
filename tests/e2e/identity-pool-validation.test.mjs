// Bad input to every operation of identity pools, made from the model (support/validation.mjs).
import { validates } from './support/validation.mjs';

validates({
    service: 'cognito-identity', target: 'AWSCognitoIdentityService', count: 23, least: 150, error: 'ValidationException',
    describe: 'DescribeIdentityPool', list: 'ListIdentityPools', id: 'IdentityPoolId',
});
