// An authenticator app: RFC 6238 with SHA-1, six digits, 30 seconds.
import crypto from 'node:crypto';

export function base32(text) {
    const bits = [...text].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
    return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

export function totp(secret, seconds) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
    const mac = crypto.createHmac('sha1', base32(secret)).update(counter).digest();
    const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
    return String(number % 1e6).padStart(6, '0');
}

const clock = async (server, body) => {
    const answer = await server.fetch('/_gatehouse/clock', { method: 'POST', body: JSON.stringify(body) });
    return Date.parse((await answer.json()).time) / 1000;
};

// Moves the server's clock to the beginning of the step after next, where no code of before counts any more; gives
// the time there. Codes of it are good for the rest of a step, so no test falls over its end.
export async function nextStep(server) {
    const now = await clock(server, { advance_s: 0 });
    return clock(server, { at: new Date((Math.floor(now / 30) + 3) * 30000 + 2000).toISOString() });
}

// Another code of as many digits.
export const wrong = (code) => String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
