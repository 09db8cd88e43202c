// Rows about HTTPS: a request on a kept connection, a handshake, an idle connection; nginx beside, same certificate.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { api, mock } from '../tests/e2e/support/apis.mjs';
import { eventually, freePort, start } from '../tests/e2e/support/harness.mjs';
import { Authority, httpsRequest, putCertificate } from '../tests/e2e/support/tls.mjs';
import { compare, residentKiB } from './measure.mjs';
import { answer } from './nginx.mjs';

async function nginxTls(folder, workers) {
    const port = await freePort();
    const at = path.join(folder, 'certificates', 'default');
    fs.writeFileSync(path.join(folder, 'nginx.conf'), `
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes ${workers};
worker_rlimit_nofile 20000;
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log crit;
events { worker_connections 9000; }
http {
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    server {
        listen 127.0.0.1:${port} ssl reuseport;
        ssl_certificate ${at}/cert.pem; ssl_certificate_key ${at}/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / { return 200 '${answer}'; }
    }
}
`);
    const child = spawn('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'error.log')], { stdio: ['ignore', 'inherit', 'inherit'] });
    await eventually('nginx', () => httpsRequest(port, 'localhost', '/').then((reply) => reply.status === 200, () => false));
    return { url: `https://127.0.0.1:${port}`, pid: child.pid, stop: () => new Promise((done) => (child.once('exit', done), child.kill('SIGTERM'))) };
}

function connection(url, target) {
    return new Promise((resolve, reject) => {
        const socket = tls.connect({ host: url.hostname, port: url.port, rejectUnauthorized: false }, () => socket.write(`GET ${target} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`));
        socket.once('data', () => resolve(socket));
        socket.once('error', reject);
    });
}

export const tlsRows = (row, { quick, workers, pace, folder }) => ({
    async tls() {
        const own = path.join(folder, 'tls');
        const authority = new Authority(own, 'Bench');
        putCertificate(path.join(own, 'certificates'), 'default', authority.issue('default', { names: ['localhost'], usage: 'serverAuth' }));
        const server = await start(null, { tls: true, args: ['--workers', String(workers), '--certificates', path.join(own, 'certificates')] });
        const one = await api(server, { 'GET /mock': { integration: mock, answers: { 200: { responseTemplates: { 'application/json': answer } } } } });
        const theirs = await nginxTls(own, workers);
        const target = `/_aws/execute-api/${one.id}/dev/mock`;
        const ours = { url: `https://127.0.0.1:${server.tlsPort}${target}`, pid: server.pid };
        const close = path.join(own, 'close.lua');
        fs.writeFileSync(close, 'wrk.headers["Connection"] = "close"\n');
        const us = (n) => `${n.toFixed(1)} µs`;
        const show = ({ perSecond, cpuUsPerRequest }) => `${Math.round(perSecond)}/s, ${us(cpuUsPerRequest)}`;
        for (const [what, script, goal] of [['MOCK over TLS 1.3, kept connections (nginx: return 200)', undefined, 0], ['a handshake, a request and the end (P-256)', close, 1.2]]) {
            const [nginxSays, gatehouse] = await compare([{ url: `${theirs.url}/`, pid: theirs.pid, script }, { ...ours, script }], pace);
            const ratio = gatehouse.cpuUsPerRequest / nginxSays.cpuUsPerRequest;
            row(what, show(gatehouse), show(nginxSays), `${ratio.toFixed(2)}×`, goal ? `≤ ${goal}×` : '', goal ? ratio <= goal : undefined);
        }
        const count = quick ? 500 : 4000;
        const each = async (url, pid, path_) => {
            const idle = residentKiB(pid), sockets = [];
            while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => connection(new URL(url), path_)))));
            const grown = (residentKiB(pid) - idle) / count;
            for (const socket of sockets) socket.destroy();
            return grown;
        };
        const theirKiB = await each(theirs.url, theirs.pid, '/'), ourKiB = await each(`https://127.0.0.1:${server.tlsPort}`, server.pid, target);
        row('an idle TLS connection', `${ourKiB.toFixed(1)} KiB`, `${theirKiB.toFixed(1)} KiB`, `${(ourKiB / theirKiB).toFixed(2)}×`);
        await theirs.stop();
        await server.stop();
    },
});
