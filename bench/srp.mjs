// A client's half of Cognito's SRP, quick enough to load a server: the exponentiations are
// OpenSSL's, through crypto.DiffieHellman (computeSecret(base) is base^private mod p).
import crypto from 'node:crypto';

const prime = crypto.getDiffieHellman('modp15').getPrime();
const N = BigInt(`0x${prime.toString('hex')}`);
const dh = crypto.createDiffieHellman(prime, 2);

const hex = (n) => {
    const text = n.toString(16);
    return text.length % 2 ? `0${text}` : text;
};
// As amazon-cognito-identity-js writes numbers: a zero byte before a first bit that is set.
const padded = (n) => {
    const text = hex(n);
    return Buffer.from(/^[89a-f]/.test(text) ? `00${text}` : text, 'hex');
};
const sha = (...parts) => {
    const hash = crypto.createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
};
const number = (bytes) => BigInt(`0x${bytes.toString('hex')}`);
const power = (base, exponent) => {
    dh.setPrivateKey(Buffer.from(hex(exponent), 'hex'));
    return number(dh.computeSecret(Buffer.from(hex(base), 'hex')));
};
const k = number(sha(padded(N), padded(2n)));
const a = number(crypto.randomBytes(32));
const A = power(2n, a);

export async function call(url, operation, body) {
    const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
        body: JSON.stringify(body),
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(`${operation}: ${JSON.stringify(result)}`);
    return result;
}

function timestamp(now = new Date()) {
    const [day, date, month, year, time] = now.toUTCString().replace(',', '').split(' ');
    return `${day} ${month} ${Number(date)} ${time} UTC ${year}`;
}

export async function signIn(url, { ClientId, poolId, username, password }) {
    const { ChallengeParameters: challenge, ChallengeName } = await call(url, 'InitiateAuth', { ClientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME: username, SRP_A: hex(A) } });
    if (ChallengeName !== 'PASSWORD_VERIFIER') throw new Error(`challenge ${ChallengeName}`);
    const B = BigInt(`0x${challenge.SRP_B}`);
    const poolName = poolId.split('_')[1];
    const u = number(sha(padded(A), padded(B)));
    const identity = sha(`${poolName}${challenge.USER_ID_FOR_SRP}:${password}`);
    const x = number(sha(padded(BigInt(`0x${challenge.SALT}`)), identity));
    const base = (((B - k * power(2n, x)) % N) + N) % N;
    const S = power(base, a + u * x);
    const key = Buffer.from(crypto.hkdfSync('sha256', padded(S), padded(u), 'Caldera Derived Key', 16));
    const TIMESTAMP = timestamp();
    const signature = crypto.createHmac('sha256', key)
        .update(poolName).update(challenge.USER_ID_FOR_SRP).update(Buffer.from(challenge.SECRET_BLOCK, 'base64')).update(TIMESTAMP)
        .digest('base64');
    const { AuthenticationResult } = await call(url, 'RespondToAuthChallenge', {
        ClientId,
        ChallengeName,
        ChallengeResponses: { USERNAME: challenge.USER_ID_FOR_SRP, PASSWORD_CLAIM_SECRET_BLOCK: challenge.SECRET_BLOCK, PASSWORD_CLAIM_SIGNATURE: signature, TIMESTAMP },
    });
    return AuthenticationResult;
}
