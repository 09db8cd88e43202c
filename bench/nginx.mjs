// nginx from Debian: once as the backend, once as the yardstick.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { eventually, freePort } from '../tests/e2e/support/harness.mjs';
import { body } from './payload.mjs';

export const answer = '{"message":"hello, me"}';

export async function nginx(folder, name, workers, backend) {
    const port = await freePort();
    const prefix = path.join(folder, name);
    fs.mkdirSync(prefix);
    fs.writeFileSync(path.join(prefix, 'nginx.conf'), `
${process.getuid() === 0 ? 'user root;' : ''} # its workers read and write a folder that is ours alone
worker_processes ${workers};
worker_rlimit_nofile 20000;
daemon off;
pid ${prefix}/pid;
error_log ${prefix}/error.log crit;
events { worker_connections 9000; }
http {
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy;
    fastcgi_temp_path ${prefix}/f; uwsgi_temp_path ${prefix}/u; scgi_temp_path ${prefix}/s;
    ${backend ? `upstream backend { server ${new URL(backend).host}; keepalive 64; }` : ''}
    ${backend ? `proxy_cache_path ${prefix}/cache levels=1:2 keys_zone=answers:10m max_size=100m inactive=1h use_temp_path=off;` : ''}
    log_format full '$remote_addr $time_iso8601 "$request" $status $body_bytes_sent $request_time';
    server {
        listen 127.0.0.1:${port} reuseport;
        location / { return 200 '${answer}'; }
        location /order { return 200 '${body}'; }
        ${backend ? `location /proxy { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
        location /cached { proxy_cache answers; proxy_cache_valid 200 1h; proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
        location /logged { access_log ${prefix}/access.log full; proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }` : ''}
    }
}
`);
    const child = spawn('nginx', ['-p', prefix, '-c', path.join(prefix, 'nginx.conf'), '-e', path.join(prefix, 'error.log')], { stdio: ['ignore', 'inherit', 'inherit'] });
    const url = `http://127.0.0.1:${port}`;
    await eventually('nginx', () => fetch(url).then((reply) => reply.ok, () => child.exitCode !== null && Promise.reject(new Error('nginx does not start'))));
    return { url, pid: child.pid, stop: () => new Promise((done) => (child.once('exit', done), child.kill('SIGTERM'))) };
}
