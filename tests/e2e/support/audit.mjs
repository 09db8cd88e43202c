// The audit log from outside: its format made and checked with nothing of the server's code.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

export const files = (folder) => fs.readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort().map((name) => path.join(folder, name));
export const lines = (folder) => files(folder).flatMap((file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean));
export const records = (folder) => lines(folder).map((line) => JSON.parse(line)).filter((line) => !line.checkpoint);

// The whole of core/chain.h's promise: throws where it is broken.
export function check(folder) {
    const key = crypto.createPublicKey(fs.readFileSync(path.join(folder, 'public-key.pem')));
    let previous = '0'.repeat(64), sequence = 0, checkpoints = 0;
    for (const line of lines(folder)) {
        const one = JSON.parse(line);
        if (one.sequence !== ++sequence) throw new Error(`record ${one.sequence} stands where ${sequence} should`);
        if (one.previousHash !== previous) throw new Error(`record ${sequence} does not follow the one before`);
        if (one.checkpoint) {
            const [covered] = line.split(',"signature":"');
            if (!crypto.verify(null, Buffer.from(covered), key, Buffer.from(one.signature, 'base64url'))) throw new Error(`checkpoint ${sequence} is forged`);
            checkpoints++;
        }
        previous = sha256(line);
    }
    return { sequence, checkpoints };
}

// A log of `n` records made here, a checkpoint every thousand: record(i) gives the members.
export function write(folder, n, record, segmentBytes = 64 << 20) {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'jwk' }).x;
    const keyId = sha256(Buffer.from(raw, 'base64url')).slice(0, 16);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'public-key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    let previous = '0'.repeat(64), sequence = 0, bytes = Infinity, out, pieces = [], head;
    const flush = () => {
        if (out !== undefined && pieces.length) fs.writeSync(out, pieces.join(''));
        pieces = [];
    };
    const add = (body, signed) => {
        if (bytes >= segmentBytes) {
            flush();
            if (out !== undefined) fs.closeSync(out);
            out = fs.openSync(path.join(folder, `${String(sequence + 1).padStart(12, '0')}.jsonl`), 'w');
            bytes = 0;
        }
        let line = `{"sequence":${++sequence},"previousHash":"${previous}",${body}`;
        if (signed) line += `,"signature":"${crypto.sign(null, Buffer.from(line), privateKey).toString('base64url')}"}`;
        previous = sha256(line);
        pieces.push(`${line}\n`);
        bytes += line.length + 1;
        if (signed) head = line;
        if (pieces.length >= 1000) flush();
    };
    const checkpoint = (reason) => add(`"checkpoint":{"at":"2026-11-21T03:04:05Z","reason":"${reason}","first":1,"firstPreviousHash":"${'0'.repeat(64)}","every":1000,"healedBytes":0,"lost":0,"keyId":"${keyId}"}`, true);
    checkpoint('start');
    for (let i = 0; i < n; i++) {
        if (i % 999 === 998) checkpoint('records');
        add(JSON.stringify(record(i)).slice(1));
    }
    checkpoint('stop');
    flush();
    fs.closeSync(out);
    fs.writeFileSync(path.join(folder, 'head'), head);
}
