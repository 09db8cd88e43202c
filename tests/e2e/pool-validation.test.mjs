// Bad input to every operation of user pools, made from the model (support/validation.mjs).
import { validates } from './support/validation.mjs';

validates({
    service: 'cognito-idp', target: 'AWSCognitoIdentityProviderService', count: 141, least: 1500, error: 'InvalidParameterException',
    describe: 'DescribeUserPool', list: 'ListUserPools', id: 'UserPoolId',
});
