// Certificates for tests, made by openssl; and HTTPS requests that say by which name they come.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';

const openssl = (args, input) => execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] });

const ecKey = (file, curve = 'P-256') => openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-out', file]);

// An authority in a folder of its own. issue() answers {cert, key, chain} as PEM texts.
export class Authority {
    constructor(folder, name, { parent, days = 30 } = {}) {
        this.folder = path.join(folder, name);
        this.name = name;
        this.parent = parent;
        this.serial = 0;
        fs.mkdirSync(this.folder, { recursive: true });
        this.key = path.join(this.folder, 'ca.key');
        this.file = path.join(this.folder, 'ca.pem');
        ecKey(this.key);
        const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
        if (parent) fs.writeFileSync(this.file, parent.sign(this.key, name, { extensions, days }));
        else
            openssl(['req', '-x509', '-new', '-key', this.key, '-subj', `/O=Tests/CN=${name}`, '-days', String(days), '-out', this.file,
                ...extensions.flatMap((e) => ['-addext', e])]);
        fs.writeFileSync(path.join(this.folder, 'index.txt'), '');
        fs.writeFileSync(path.join(this.folder, 'crlnumber'), '01\n');
        fs.writeFileSync(path.join(this.folder, 'ca.cnf'), [
            '[ca]', 'default_ca=this', '[this]', `database=${this.folder}/index.txt`, `crlnumber=${this.folder}/crlnumber`,
            `certificate=${this.file}`, `private_key=${this.key}`, 'default_md=sha256', 'default_crl_days=7', '',
        ].join('\n'));
    }
    get pem() {
        return fs.readFileSync(this.file, 'utf8');
    }
    sign(keyFile, cn, { extensions, days, subject }) {
        const config = path.join(this.folder, 'extensions.cnf');
        fs.writeFileSync(config, extensions.join('\n'));
        const request = openssl(['req', '-new', '-key', keyFile, '-subj', subject ?? `/O=Tests/CN=${cn}`]);
        return openssl(['x509', '-req', '-CA', this.file, '-CAkey', this.key, '-set_serial', `0x${(0xa1b200 + ++this.serial).toString(16)}`,
            '-days', String(days), '-extfile', config, '-sha256'], request).toString();
    }
    issue(cn, { names = [], usage = 'clientAuth', days = 7, subject, curve } = {}) {
        const keyFile = path.join(this.folder, `${this.serial + 1}.key`);
        ecKey(keyFile, curve);
        const extensions = ['basicConstraints=critical,CA:FALSE', `extendedKeyUsage=${usage}`];
        if (names.length) extensions.push(`subjectAltName=${names.map((n) => `DNS:${n}`).join(',')}`);
        const cert = this.sign(keyFile, cn, { extensions, days, subject });
        return { cert, key: fs.readFileSync(keyFile, 'utf8'), chain: cert + (this.parent ? this.pem : '') };
    }
    revoke({ cert }) {
        const file = path.join(this.folder, 'revoked.pem');
        fs.writeFileSync(file, cert);
        openssl(['ca', '-config', path.join(this.folder, 'ca.cnf'), '-revoke', file]);
    }
    crl() {
        return openssl(['ca', '-config', path.join(this.folder, 'ca.cnf'), '-gencrl']).toString();
    }
}

export const selfSigned = (folder, cn) => {
    const key = path.join(folder, `${cn}.key`);
    ecKey(key);
    const cert = openssl(['req', '-x509', '-new', '-key', key, '-subj', `/CN=${cn}`, '-days', '7']).toString();
    return { cert, key: fs.readFileSync(key, 'utf8'), chain: cert };
};

// As an administrator would: NAME/cert.pem and NAME/key.pem.
export function putCertificate(folder, name, { chain, key }, mode = 0o600) {
    const dir = path.join(folder, name);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, 'key.pem'), key);
    fs.chmodSync(path.join(dir, 'key.pem'), mode);
    fs.writeFileSync(path.join(dir, 'cert.pem'), chain);
}

// https://host/path at 127.0.0.1:port; `sni` when the handshake shall say another name than `Host`.
export function httpsRequest(port, host, target, { method = 'GET', headers = {}, body, sni = host, ca, agent = false, client, ...more } = {}) {
    return new Promise((resolve, reject) => {
        const req = https.request({
            host: '127.0.0.1', port, path: target, method, agent, servername: sni, ca, headers: { host, ...headers },
            rejectUnauthorized: Boolean(ca), // the name is checked against `servername`
            cert: client?.chain, key: client?.key, ...more,
        }, (res) => {
            const pieces = [];
            const certificate = res.socket.getPeerCertificate?.();
            const protocol = res.socket.getProtocol?.();
            res.on('data', (piece) => pieces.push(piece));
            res.on('error', reject);
            res.on('end', () => {
                const text = Buffer.concat(pieces).toString();
                resolve({ status: res.statusCode, headers: res.headers, text, certificate, protocol, json: () => JSON.parse(text) });
            });
        });
        req.on('error', reject);
        req.end(body);
    });
}

// The handshake alone: {protocol, alpn, certificate, reused, session} or {error}.
export function handshake(port, sni, { ca, client, ...more } = {}) {
    return new Promise((resolve) => {
        const socket = tls.connect({
            host: '127.0.0.1', port, servername: sni, ca, rejectUnauthorized: Boolean(ca), cert: client?.chain, key: client?.key,
            ALPNProtocols: ['http/1.1'], ...more,
        });
        let session;
        socket.once('session', (s) => (session = s));
        socket.once('error', (error) => resolve({ error }));
        socket.once('secureConnect', () => {
            const seen = { protocol: socket.getProtocol(), alpn: socket.alpnProtocol, certificate: socket.getPeerCertificate(), reused: socket.isSessionReused() };
            // A request brings the ticket along, and an alert that TLS 1.3 sends late.
            socket.write(`GET /none HTTP/1.1\r\nHost: ${sni}\r\nConnection: close\r\n\r\n`);
            let answer = '';
            socket.on('data', (d) => (answer += d));
            socket.once('end', () => socket.end());
            socket.once('close', () => resolve({ ...seen, session, answer }));
        });
    });
}
