// A stand-in for an AWS service that takes only what AWS's own signer would have signed alike.
import http from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';

import { atEnd } from './harness.mjs';

export const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
export const withKey = (url) => url.replace('://', `://${key.accessKeyId}:${encodeURIComponent(key.secretAccessKey)}@`);

// Signs again what came, with AWS's signer: {ok, service, …}.
async function verify(req, body) {
    const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/.exec(req.headers.authorization ?? '');
    if (!found) return { ok: false };
    const [, id, , scopeRegion, service, names] = found;
    const url = new URL(req.url, 'http://x');
    const headers = Object.fromEntries(names.split(';').filter((n) => n !== 'x-amz-date').map((n) => [n, req.headers[n]]));
    const signer = new SignatureV4({ credentials: key, region: scopeRegion, service, sha256: Sha256, applyChecksum: false });
    const date = req.headers['x-amz-date'].replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
    const again = await signer.sign(new HttpRequest({ method: req.method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers, body }), { signingDate: new Date(date) });
    return { ok: id === key.accessKeyId && again.headers.authorization === req.headers.authorization, service, region: scopeRegion, id };
}

export async function verifyingServer(t, answer) {
    const calls = [];
    const server = http.createServer((req, res) => {
        const pieces = [];
        req.on('data', (p) => pieces.push(p)).on('end', async () => {
            const body = Buffer.concat(pieces);
            const seen = { method: req.method, url: req.url, headers: req.headers, body: body.toString(), signature: await verify(req, body) };
            calls.push(seen);
            const reply = answer(seen) ?? {};
            res.writeHead(seen.signature.ok || reply.anyway ? (reply.status ?? 200) : 403, { 'content-type': 'application/json', ...reply.headers });
            res.end(reply.body ?? '{}');
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(t, () => { server.closeAllConnections(); server.close(); });
    return { url: `http://127.0.0.1:${server.address().port}`, calls };
}
