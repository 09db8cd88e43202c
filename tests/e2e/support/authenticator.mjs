// A browser with an authenticator, in software: navigator.credentials.create() and get() as JSON. Everything that
// it says can be told to be something else, which a browser's own cannot.
import crypto from 'node:crypto';

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();

// CBOR, as much as attestation objects have: integers, bytes, texts, maps ([[key, value], ...]).
export function cbor(value) {
    const head = (major, n) => {
        if (n < 24) return Buffer.from([(major << 5) | n]);
        if (n < 256) return Buffer.from([(major << 5) | 24, n]);
        return Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
    };
    if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
    if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
    if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
    return Buffer.concat([head(5, value.length), ...value.flat().map(cbor)]);
}

export const UP = 1, UV = 4, BE = 8, BS = 16;

function coseKey(publicKey, alg) {
    const jwk = publicKey.export({ format: 'jwk' });
    const number = (name) => Buffer.from(jwk[name], 'base64url');
    return jwk.kty === 'EC'
        ? cbor([[1, 2], [3, alg], [-1, 1], [-2, number('x')], [-3, number('y')]])
        : jwk.kty === 'RSA' ? cbor([[1, 3], [3, alg], [-1, number('n')], [-2, number('e')]]) : cbor([[1, 1], [3, alg], [-1, 6], [-2, number('x')]]);
}

const kinds = {
    '-7': () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    '-257': () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    '-8': () => crypto.generateKeyPairSync('ed25519'),
};

const clientData = (type, challenge, origin, more) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...more }));

export class Authenticator {
    constructor({ origin, alg = -7, flags = UP | UV, counts = true, attachment = 'platform', transports = ['internal'] } = {}) {
        Object.assign(this, { origin, alg, flags, counts, attachment, transports, counter: 0 });
    }

    authData(rpId, flags, tail = Buffer.alloc(0)) {
        const counter = Buffer.alloc(4);
        if (this.counts) counter.writeUInt32BE(++this.counter);
        return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter, tail]);
    }

    // change: { rpId, origin, type, challenge, flags, clientData, attestationObject, extensions }
    create(options, change = {}) {
        const { publicKey, privateKey } = kinds[this.alg]();
        Object.assign(this, { privateKey, id: crypto.randomBytes(20), rpId: options.rp.id, handle: options.user.id });
        const data = clientData(change.type ?? 'webauthn.create', change.challenge ?? options.challenge, change.origin ?? this.origin, change.clientData);
        const length = Buffer.from([0, this.id.length]);
        const extensions = change.extensions ? cbor(change.extensions) : Buffer.alloc(0);
        const flags = (change.flags ?? this.flags) | 0x40 | (change.extensions ? 0x80 : 0);
        const authData = this.authData(change.rpId ?? this.rpId, flags, Buffer.concat([Buffer.alloc(16), length, this.id, coseKey(publicKey, this.alg), extensions]));
        const object = change.attestationObject ?? cbor([['fmt', 'none'], ['attStmt', []], ['authData', authData]]);
        return {
            id: b64(this.id), rawId: b64(this.id), type: 'public-key', authenticatorAttachment: this.attachment, clientExtensionResults: {},
            response: { clientDataJSON: b64(data), attestationObject: b64(object), transports: this.transports },
        };
    }

    get(options, change = {}) {
        const data = clientData(change.type ?? 'webauthn.get', change.challenge ?? options.challenge, change.origin ?? this.origin, change.clientData);
        const authData = this.authData(change.rpId ?? this.rpId, change.flags ?? this.flags);
        const signature = crypto.sign('sha256', Buffer.concat([authData, sha256(data)]), change.privateKey ?? this.privateKey);
        if (change.signature) signature[signature.length - 1] ^= 1;
        const id = b64(change.id ?? this.id);
        return {
            id, rawId: id, type: 'public-key', authenticatorAttachment: this.attachment, clientExtensionResults: {},
            response: { clientDataJSON: b64(data), authenticatorData: b64(authData), signature: b64(signature), userHandle: change.handle ?? this.handle },
        };
    }
}
