// The documents of the rows about policies.
const arn = (api, rest) => `arn:aws:execute-api:us-east-1:000000000000:${api}/${rest}`;
const document = (Statement) => ({ Version: '2012-10-17', Statement });

// As people write them: reads, writes, one's own things, conditions, a deny; the last but one is asked for.
export const few = document([
    { Sid: 'Pools', Effect: 'Allow', Action: ['cognito-idp:List*', 'cognito-idp:Describe*', 'cognito-idp:AdminGetUser'], Resource: '*' },
    { Sid: 'Self', Effect: 'Allow', Action: ['iam:GetUser', 'iam:*AccessKey*', 'iam:ChangePassword'], Resource: 'arn:aws:iam::000000000000:user/${aws:username}' },
    { Sid: 'Logs', Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: 'arn:aws:logs:*:000000000000:log-group:/aws/lambda/*:*' },
    { Sid: 'Home', Effect: 'Allow', Action: 's3:*', Resource: ['arn:aws:s3:::home/${aws:username}/*', 'arn:aws:s3:::home'] },
    { Sid: 'NoRoot', Effect: 'Deny', Action: ['iam:DeleteAccount*', 'organizations:*'], Resource: '*' },
    { Sid: 'Encrypted', Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { Sid: 'Inside', Effect: 'Deny', Action: '*', Resource: '*', Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.168.0.0/16'] } } },
    { Sid: 'Functions', Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: 'arn:aws:lambda:us-east-1:000000000000:function:pets-*' },
    ...Array.from({ length: 10 }, (_, i) => ({ Sid: `Api${i}`, Effect: 'Allow', Action: 'execute-api:Invoke', Resource: arn(`api${10 + i}`, '*/GET/*') })),
    { Sid: 'Team', Effect: 'Allow', Action: 'execute-api:*', Resource: arn('team', '*'), Condition: { StringEquals: { 'aws:PrincipalTag/team': 'pets' } } },
    { Sid: 'Region', Effect: 'Deny', NotAction: ['iam:*', 'sts:*'], Resource: '*', Condition: { StringNotEquals: { 'aws:RequestedRegion': ['us-east-1', 'eu-central-1'] } } },
]);

// 1,000 statements: 996 about an API of their own, four that can match everything asked here.
export const many = document([
    { Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ...Array.from({ length: 996 }, (_, i) => ({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: arn(`api${i}`, '*/GET/*') })),
    { Effect: 'Deny', Action: 'execute-api:*', Resource: '*', Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
    { Effect: 'Deny', Action: 'execute-api:Inv*', Resource: arn('api500', '*'), Condition: { StringNotEquals: { 'aws:PrincipalTag/team': 'pets' } } },
    { Effect: 'Deny', NotAction: 'iam:*', Resource: '*', Condition: { StringNotEquals: { 'aws:RequestedRegion': ['us-east-1', 'eu-central-1'] } } },
]);

// 6 KiB without white space, as large as a managed policy may be: the twenty, and more of their kind.
export const sixKiB = (() => {
    const statements = [...few.Statement];
    for (let i = 0; JSON.stringify(document(statements)).length < 6144 - 200; i++)
        statements.push({ Sid: `More${i}`, Effect: 'Allow', Action: ['s3:Get*', 's3:PutObject'], Resource: [`arn:aws:s3:::bucket-${i}`, `arn:aws:s3:::bucket-${i}/*`] });
    return document(statements);
})();
