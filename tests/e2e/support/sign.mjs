// SigV4 for plain HTTP requests: what a caller of an AWS_IAM method does.
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

const signer = (credentials, service, region) =>
    new SignatureV4({ credentials, service, region, sha256: Sha256, uriEscapePath: true, applyChecksum: true });

function requestOf(url, { method = 'GET', headers = {}, body } = {}) {
    const { protocol, hostname, port, host, pathname, searchParams } = new URL(url);
    const query = {};
    for (const [name, value] of searchParams) {
        query[name] = name in query ? [].concat(query[name], value) : value;
    }
    return new HttpRequest({ method, protocol, hostname, port: port ? Number(port) : undefined, path: pathname, query, headers: { host, ...headers }, body });
}

export async function signed(url, credentials, { service = 'execute-api', region = 'us-east-1', signingDate, ...options } = {}) {
    const request = await signer(credentials, service, region).sign(requestOf(url, options), { signingDate });
    const { host, ...headers } = request.headers;
    return fetch(url, { method: request.method, headers: options.headers?.host ? { ...headers, host } : headers, body: options.body });
}

export async function signedHeaders(url, credentials, { service = 'execute-api', region = 'us-east-1', ...options } = {}) {
    return (await signer(credentials, service, region).sign(requestOf(url, options))).headers;
}

export async function presigned(url, credentials, { service = 'execute-api', region = 'us-east-1', expiresIn = 300, ...options } = {}) {
    const request = await signer(credentials, service, region).presign(requestOf(url, options), { expiresIn });
    const target = new URL(url);
    for (const [name, value] of Object.entries(request.query)) target.searchParams.set(name, value);
    return target.toString();
}
