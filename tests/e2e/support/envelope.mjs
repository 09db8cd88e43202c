// Messages of AWS's encryption SDKs (format 1, suite 0x0378), read as its published format says.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

function reader(bytes) {
    let at = 0;
    const take = (n) => {
        assert.ok(at + n <= bytes.length, 'cut short');
        return bytes.subarray(at, (at += n));
    };
    const number = (n) => Number(BigInt(`0x${take(n).toString('hex')}`));
    return { take, number, field: () => take(number(2)), at: () => at };
}

// decryptKey({ provider, keyArn, ciphertext, context }) gives the data key. { context, plain, keyArn }
export async function open(text, decryptKey) {
    const bytes = Buffer.from(text, 'base64');
    const r = reader(bytes);
    assert.deepEqual([r.number(1), r.number(1), r.number(2)], [1, 0x80, 0x0378]);
    const id = r.take(16);
    const aad = reader(r.field());
    const context = {};
    for (let n = aad.number(2); n > 0; n--) context[aad.field().toString()] = aad.field().toString();
    assert.equal(r.number(2), 1, 'one data key');
    const provider = r.field().toString(), keyArn = r.field().toString(), ciphertext = r.field();
    assert.deepEqual([r.number(1), r.number(4), r.number(1), r.number(4) > 0], [2, 0, 12, true]);
    const header = bytes.subarray(0, r.at());
    const dataKey = await decryptKey({ provider, keyArn, ciphertext, context });
    const key = Buffer.from(crypto.hkdfSync('sha384', dataKey, Buffer.alloc(0), Buffer.concat([Buffer.from([3, 0x78]), id]), 32));
    const decrypt = (iv, tag, associated, data) => {
        const cipher = crypto.createDecipheriv('aes-256-gcm', key, iv).setAAD(associated).setAuthTag(tag);
        return Buffer.concat([cipher.update(data), cipher.final()]);
    };
    decrypt(r.take(12), r.take(16), header, Buffer.alloc(0));
    assert.equal(r.number(4), 0xffffffff, 'the last frame');
    const sequence = r.take(4), iv = r.take(12), length = r.take(4), data = r.take(length.readUInt32BE());
    const plain = decrypt(iv, r.take(16), Buffer.concat([id, Buffer.from('AWSKMSEncryptionClient Final Frame'), sequence, Buffer.alloc(4), length]), data);
    const signed = bytes.subarray(0, r.at());
    const signature = r.field();
    assert.equal(r.at(), bytes.length, 'nothing follows');
    const point = Buffer.from(context['aws-crypto-public-key'], 'base64');
    const whole = crypto.ECDH.convertKey(point, 'secp384r1', undefined, undefined, 'uncompressed');
    const publicKey = crypto.createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-384', x: whole.subarray(1, 49).toString('base64url'), y: whole.subarray(49).toString('base64url') } });
    assert.ok(crypto.verify('sha384', signed, publicKey, signature), 'signed by the key in its context');
    return { context, keyArn, provider, plain: plain.toString() };
}
