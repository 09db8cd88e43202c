// Authorities and certificates of one's own, made with openssl.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { scratch } from './harness.mjs';

function openssl(...args) {
    const { status, stderr } = spawnSync('openssl', args);
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
}

// → { folder, ca: {cert, key, file}, issue(name, {alt, days, by}) → {cert, key} }
export function authority(t) {
    const folder = scratch(t, 'certificates');
    const at = (name) => path.join(folder, name);
    const key = (name) => openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at(`${name}.key`));
    const read = (name) => ({ cert: fs.readFileSync(at(`${name}.pem`), 'utf8'), key: fs.readFileSync(at(`${name}.key`), 'utf8'), file: at(`${name}.pem`) });
    const root = (name) => {
        key(name);
        openssl('req', '-x509', '-new', '-key', at(`${name}.key`), '-days', '30', '-subj', `/CN=${name}`, '-out', at(`${name}.pem`));
        return { name, ...read(name) };
    };
    const issue = (name, { alt = 'DNS:localhost,IP:127.0.0.1', by = ca, days = 10, from } = {}) => {
        key(name);
        fs.writeFileSync(at(`${name}.ext`), `subjectAltName=${alt}\nbasicConstraints=CA:FALSE\n`);
        openssl('req', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-out', at(`${name}.csr`));
        openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at(`${by.name}.pem`), '-CAkey', at(`${by.name}.key`), '-CAcreateserial',
            '-days', String(days), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`), ...(from ?? []));
        return read(name);
    };
    const ca = root('our-authority');
    return { folder, ca, root, issue };
}
