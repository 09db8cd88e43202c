// Operations of cognito-idp that are newer than the SDK's release: the same wire, by hand.
import { signed } from './sign.mjs';

// newest(server).getClientToken({…}) resolves to the answer or throws an error with AWS's name and message.
export function newest(server, { credentials = server.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' }, sign = true, headers: more = {} } = {}) {
    return new Proxy({}, {
        get: (_, name) => async (input = {}) => {
            const headers = {
                ...more,
                'content-type': 'application/x-amz-json-1.1',
                'x-amz-target': `AWSCognitoIdentityProviderService.${name[0].toUpperCase()}${name.slice(1)}`,
            };
            const request = { method: 'POST', headers, body: JSON.stringify(input) };
            const answer = sign ? await signed(`${server.url}/`, credentials, { service: 'cognito-idp', ...request }) : await server.fetch('/', request);
            const text = await answer.text();
            const body = text ? JSON.parse(text) : {};
            if (answer.status === 200) return body;
            throw Object.assign(new Error(body.message ?? text), { name: body.__type ?? `${answer.status}`, status: answer.status });
        },
    });
}
