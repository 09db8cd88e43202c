// Backends for integrations: one that remembers what reached it, and one for every way to fail.
import http from 'node:http';
import net from 'node:net';
import { atEnd } from './harness.mjs';

function listening(server, t) {
    const sockets = new Set();
    server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.once('close', () => sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            atEnd(t, () => {
                for (const socket of sockets) socket.destroy();
                return new Promise((done) => server.close(done));
            });
            resolve(`http://127.0.0.1:${server.address().port}`);
        });
    });
}

// requests: [{method, url, headers, rawHeaders, body}], in order of arrival.
// answer: (request) => ({status, headers, body}); without it the request comes back as JSON.
export async function recordingBackend(t, answer) {
    const requests = [];
    const server = http.createServer((req, res) => {
        const pieces = [];
        req.on('data', (piece) => pieces.push(piece));
        req.on('end', async () => {
            const seen = {
                method: req.method,
                url: req.url,
                headers: req.headers,
                rawHeaders: req.rawHeaders,
                body: Buffer.concat(pieces).toString(),
            };
            requests.push(seen);
            const reply = (await answer?.(seen)) ?? {};
            const body = reply.body ?? JSON.stringify(seen);
            res.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
            res.end(body);
        });
    });
    server.keepAliveTimeout = 60000;
    return { url: await listening(server, t), requests };
}

// What each kind writes when a request has come; `null` means: write nothing.
const faults = {
    refuse: null, // nobody listens
    reset: (socket) => socket.resetAndDestroy(),
    close: (socket) => socket.end(),
    stall: () => {},
    stall_in_head: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text'),
    stall_in_body: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    short_body: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'),
    long_body: (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'),
    garbage: (socket) => socket.end('\x00\x01\x02 this is no HTTP at all \xff\xfe\r\n\r\n'),
    bad_status: (socket) => socket.end('HTTP/1.1 abc Nope\r\nContent-Length: 0\r\n\r\n'),
    two_lengths: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'),
    length_and_chunked: (socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
    bad_chunk: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n'),
    cut_chunk: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello'),
    endless_head: (socket) => {
        const more = () => {
            while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(8000)}\r\n`));
        };
        socket.write('HTTP/1.1 200 OK\r\n');
        socket.on('drain', more);
        more();
    },
};
export const faultKinds = Object.keys(faults);

export async function faultBackend(t, kind) {
    const server = net.createServer((socket) => {
        socket.on('error', () => {});
        let head = '';
        socket.on('data', (piece) => {
            head += piece.toString('latin1');
            if (!head.includes('\r\n\r\n')) return;
            head = '';
            state.requests++;
            faults[kind]?.(socket);
        });
    });
    const state = { requests: 0, url: await listening(server, kind === 'refuse' ? null : t) };
    if (kind === 'refuse') await new Promise((done) => server.close(done));
    return state;
}
