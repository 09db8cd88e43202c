// A token issuer on this machine: discovery document, key set, tokens of every make.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

const makes = {
    RS256: ['rsa', { modulusLength: 2048 }], RS384: ['rsa', { modulusLength: 2048 }], RS512: ['rsa', { modulusLength: 2048 }], PS256: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }], ES384: ['ec', { namedCurve: 'P-384' }], ES512: ['ec', { namedCurve: 'P-521' }],
};
let rsa; // making one takes a while, and tests need the algorithm, not the key
export function keyPair(alg) {
    const [type, options] = makes[alg];
    return type === 'rsa' ? (rsa ??= crypto.generateKeyPairSync(type, options)) : crypto.generateKeyPairSync(type, options);
}
export const jwk = (pair, kid, more = {}) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...more });
export const b64 = (value) => Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

// The signature as tokens have it: r and s side by side.
export function sign(alg, key, text) {
    const options = { key, dsaEncoding: 'ieee-p1363' };
    if (alg.startsWith('PS')) Object.assign(options, { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    return crypto.sign(`sha${alg.slice(2)}`, Buffer.from(text), options);
}
export function token(header, claims, key, alg = header.alg) {
    const text = `${b64(header)}.${b64(claims)}`;
    return `${text}.${sign(alg, key, text).toString('base64url')}`;
}

export class Issuer {
    constructor() {
        this.keys = [];
        this.pairs = {};
        this.fetches = { discovery: 0, jwks: 0 };
        this.headers = {};
        this.answer = null; // (res, path) => true when it has answered itself
    }
    // tls: { key, cert }: https, by the name localhost.
    async listen(t, tls) {
        const serve = (req, res) => {
            const path = new URL(req.url, 'http://x').pathname;
            const discovery = path.endsWith('/.well-known/openid-configuration');
            this.fetches[discovery ? 'discovery' : 'jwks']++;
            this.lastHeaders = req.headers;
            if (this.answer?.(res, path, req)) return;
            const body = discovery ? { issuer: this.url, jwks_uri: `${this.url}/jwks`, ...this.discovery } : { keys: this.keys };
            res.writeHead(200, { 'content-type': 'application/json', ...this.headers });
            res.end(JSON.stringify(body));
        };
        this.connections = 0;
        this.server = tls ? https.createServer(tls, serve) : http.createServer(serve);
        this.server.on('connection', () => this.connections++);
        this.server.on('tlsClientError', () => {});
        await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
        t.after(() => {
            this.server.closeAllConnections?.();
            this.server.close();
        });
        this.port = this.server.address().port;
        this.url = tls ? `https://localhost:${this.port}` : `http://127.0.0.1:${this.port}`;
        return this;
    }
    add(alg, kid = alg, more = { alg }) {
        this.pairs[kid] = { alg, ...keyPair(alg) };
        this.keys.push(jwk(this.pairs[kid], kid, more));
        return this;
    }
    claims(more = {}) {
        const now = Math.floor(Date.now() / 1000);
        return { iss: this.url, sub: 'ada', aud: 'shop', iat: now - 10, exp: now + 600, ...more };
    }
    token(claims = {}, { kid = this.keys[0].kid, alg = this.pairs[kid].alg, header = {} } = {}) {
        return token({ alg, kid, typ: 'JWT', ...header }, this.claims(claims), this.pairs[kid].privateKey, alg);
    }
}
export const issuer = async (t, ...algs) => algs.reduce((made, alg) => made.add(alg), await new Issuer().listen(t));
