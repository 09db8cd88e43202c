// Plays one boto3 call with the AWS SDK for JavaScript and gives back boto3's view of the answer:
// the parsed members, ResponseMetadata.HTTPStatusCode and, of a refused call, Error {Code, Message, Type}.
// The SDK checks no parameters but empty path labels, so what is wrong reaches the server.
import * as apigateway from '@aws-sdk/client-api-gateway';
import * as iam from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import * as sts from '@aws-sdk/client-sts';
import { HttpResponse } from '@smithy/protocol-http';
import http from 'node:http';
import { Readable } from 'node:stream';

const services = {
    apigateway: [apigateway, apigateway.APIGatewayClient],
    iam: [iam, iam.IAMClient],
    lambda_: [lambda, lambda.LambdaClient],
    sts: [sts, sts.STSClient],
};
export const canPlay = (service) => service in services;

const commands = Object.fromEntries(
    Object.entries(services).map(([name, [module]]) => [
        name,
        Object.fromEntries(
            Object.entries(module)
                .filter(([key]) => key.endsWith('Command') && !key.startsWith('$'))
                .map(([key, value]) => [key.slice(0, -'Command'.length).toLowerCase(), value]),
        ),
    ]),
);

// Sends what the SDK has signed and keeps the raw answer, whose error members keep their case.
class RawHandler {
    constructor(agent) {
        this.agent = agent;
    }
    handle(request) {
        return new Promise((resolve, reject) => {
            const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
                [].concat(value ?? '').map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
            );
            const req = http.request(
                {
                    host: request.hostname,
                    port: request.port,
                    method: request.method,
                    path: request.path + (query.length ? `?${query.join('&')}` : ''),
                    headers: request.headers,
                    agent: this.agent,
                },
                (res) => {
                    const pieces = [];
                    res.on('data', (piece) => pieces.push(piece));
                    res.on('error', reject);
                    res.on('end', () => {
                        const body = Buffer.concat(pieces);
                        this.raw = { status: res.statusCode, headers: res.headers, text: body.toString() };
                        const response = new HttpResponse({ statusCode: res.statusCode, headers: res.headers, body: Readable.from([body]) });
                        resolve({ response });
                    });
                },
            );
            req.on('error', reject);
            req.setTimeout(20000, () => req.destroy(new Error('no answer within 20 s')));
            const { body } = request;
            if (body && typeof body.pipe === 'function') body.pipe(req);
            else req.end(body);
        });
    }
    destroy() {}
    metadata = { handlerProtocol: 'http/1.1' };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
export const closeConnections = () => agent.destroy();

export class Caller {
    constructor(url, account) {
        this.options = { endpoint: url, region: 'us-east-1', maxAttempts: 1 };
        this.credentials = { accessKeyId: account, secretAccessKey: 'replay' };
    }

    // → { answer } or { error: boto3's view of the refusal } or { broken: why }.
    async call(service, op, params, { credentials } = {}) {
        const [, Client] = services[service];
        const Command = commands[service][op.replaceAll('_', '').toLowerCase()];
        if (!Command) return { broken: `the SDK knows no ${service} ${op}` };
        const requestHandler = new RawHandler(agent);
        const client = new Client({ ...this.options, credentials: credentials ?? this.credentials, requestHandler });
        try {
            const output = await client.send(new Command(params));
            return { answer: await view(output, requestHandler.raw) };
        } catch (error) {
            if (!requestHandler.raw) return { broken: `${error.name}: ${error.message}` };
            if (requestHandler.raw.status < 400) return { broken: `answer not understood: ${error.message}: ${requestHandler.raw.text.slice(0, 300)}` };
            return { error: refusal(requestHandler.raw) };
        } finally {
            client.destroy();
        }
    }
}

async function view(output, raw) {
    const { $metadata, ...members } = output;
    const answer = await plain(members);
    // Members newer than the SDK: what the body has at its top and the SDK dropped.
    if (raw.headers['content-type']?.includes('json')) {
        for (const [name, value] of Object.entries(parse(raw.text) ?? {})) {
            if (!(name in answer) && value !== null && name !== 'item') answer[name] = value;
        }
    }
    answer.ResponseMetadata = { HTTPStatusCode: raw.status, HTTPHeaders: raw.headers };
    return answer;
}

async function plain(value) {
    if (value instanceof Date || value === null || typeof value !== 'object') return value;
    if (value instanceof Uint8Array) return Buffer.from(value).toString();
    if (typeof value.transformToString === 'function') return value.transformToString();
    if (Array.isArray(value)) return Promise.all(value.map(plain));
    const out = {};
    for (const [name, member] of Object.entries(value)) {
        if (member !== undefined) out[name] = await plain(member);
    }
    return out;
}

function refusal({ status, headers, text }) {
    const view = { Error: {}, ResponseMetadata: { HTTPStatusCode: status, HTTPHeaders: headers } };
    if (text.trimStart().startsWith('<')) {
        for (const name of ['Code', 'Message', 'Type']) {
            const found = text.match(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`));
            if (found) view.Error[name] = unescapeXml(found[1]);
        }
        return view;
    }
    const body = parse(text) ?? {};
    const code = headers['x-amzn-errortype'] ?? body.__type ?? body.code ?? body.Code ?? String(status);
    view.Error.Code = code.split(':')[0].split('#').at(-1);
    view.Error.Message = body.message ?? body.Message ?? '';
    for (const [name, value] of Object.entries(body)) if (name !== '__type' && value !== null) view[name] = value;
    return view;
}

const unescapeXml = (text) =>
    text.replace(/&(lt|gt|quot|apos|amp|#x?[0-9a-fA-F]+);/g, (whole, name) =>
        name[0] === '#'
            ? String.fromCodePoint(Number(name[1] === 'x' ? `0${name.slice(1)}` : name.slice(1)))
            : { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name]);

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}
