// The service behind the API: answers with what it was asked. /slow takes two seconds.
// node backend.mjs [PORT]
import http from 'node:http';

const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (piece) => (body += piece));
    req.on('end', () => {
        const answer = JSON.stringify({ method: req.method, path: req.url, body, headers: req.headers });
        setTimeout(() => {
            res.writeHead(200, { 'content-type': 'application/json' });
            res.end(answer);
        }, req.url.startsWith('/slow') ? 2000 : 0);
    });
});
server.listen(Number(process.argv[2] ?? 3000), '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${server.address().port}`));
