// A Gatehouse of one's own: every test starts the built binary on a free port over its own data
// folder, and stops it by its pid. Ready is what --ready-fd says; nothing here sleeps and hopes.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stockedFolder } from './folder.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const vectors = process.env.GATEHOUSE_VECTORS ?? path.resolve(root, '../shared/vectors');
export const region = 'us-east-1';
export const account = '000000000000';

export function binary() {
    const candidates = process.env.GATEHOUSE_BIN
        ? [process.env.GATEHOUSE_BIN]
        : ['release', 'debug'].map((preset) => path.join(root, 'build', preset, 'gatehouse'));
    const found = candidates.find((file) => fs.existsSync(file));
    if (!found) throw new Error(`no gatehouse binary at ${candidates.join(' or ')}: run ./dev build`);
    return found;
}

export function freePort() {
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once('error', reject);
        probe.listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

// Cleaning up in reverse: what was made last goes first (node:test runs its `after`s in order).
const endings = new WeakMap();
export function atEnd(t, fn) {
    if (!t) return;
    if (!endings.has(t)) {
        const list = [];
        endings.set(t, list);
        t.after(async () => {
            let failure;
            for (const end of list.reverse()) await Promise.resolve().then(end).catch((error) => (failure ??= error));
            if (failure) throw failure;
        });
    }
    endings.get(t).push(fn);
}

// In memory where there is room: every acknowledged write waits for the disk, and tests share theirs.
function folderForTests() {
    try {
        fs.accessSync('/dev/shm', fs.constants.W_OK);
        const { bavail, bsize } = fs.statfsSync('/dev/shm');
        if (bavail * bsize > 2 ** 30) return '/dev/shm';
    } catch {
        // no such place here
    }
    return os.tmpdir();
}

export function scratch(t, name = 'gatehouse') {
    const dir = fs.mkdtempSync(path.join(folderForTests(), `${name}-`));
    atEnd(t, () => {
        if (!process.env.GATEHOUSE_KEEP) fs.rmSync(dir, { recursive: true, force: true });
    });
    return dir;
}

// Asks again until `look` gives something true. For what becomes visible a moment later and has no event.
export async function eventually(what, look, within_ms = 10000) {
    const until = Date.now() + within_ms;
    for (;;) {
        const seen = await look();
        if (seen) return seen;
        if (Date.now() > until) throw new Error(`never came: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

class Gatehouse {
    constructor({ mode, args, env, data, port, tlsPort, wrap }) {
        Object.assign(this, { mode, args, env, data, port, tlsPort, wrap });
        this.logFile = path.join(path.dirname(data), `${path.basename(data)}.log`);
        this.clients = [];
    }

    get url() {
        return `http://127.0.0.1:${this.port}`;
    }
    get pid() {
        return this.child?.pid;
    }

    // Resolves when the byte of --ready-fd has come; startMs is what the caller waited for it.
    async launch() {
        const log = fs.openSync(this.logFile, 'a');
        const begun = process.hrtime.bigint();
        const [command, ...before] = [...this.wrap, binary()];
        const child = spawn(
            command,
            [...before, this.mode, '--data', this.data, '--listen', `127.0.0.1:${this.port}`, '--ready-fd', '3',
                ...(this.tlsPort ? ['--listen-tls', `127.0.0.1:${this.tlsPort}`] : []), ...this.args],
            { stdio: ['ignore', log, log, 'pipe'], env: { ...process.env, ...this.env } },
        );
        fs.closeSync(log);
        this.child = child;
        this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
        const ready = new Promise((resolve) => child.stdio[3].once('data', () => resolve(true)));
        const gone = await Promise.race([
            ready.then(() => null),
            this.exited,
            new Promise((_, reject) => child.once('error', reject)),
        ]);
        if (gone) {
            const error = new Error(`gatehouse did not start (exit ${gone.code ?? gone.signal}):\n${this.log().slice(-2000)}`);
            throw Object.assign(error, { exitCode: gone.code });
        }
        this.startMs = Number(process.hrtime.bigint() - begun) / 1e6;
        return this;
    }

    log() {
        return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : '';
    }

    async end(signal) {
        for (const client of this.clients) client.destroy?.();
        this.clients = [];
        if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return this.exited;
        this.child.kill(signal);
        return this.exited;
    }
    // A server that was asked to stop must end with 0: a sanitizer's report would say otherwise.
    async stop() {
        const { code, signal } = await this.end('SIGTERM');
        if (code !== 0 && signal !== 'SIGKILL') throw new Error(`gatehouse ended with ${code ?? signal}:\n${this.log().slice(-6000)}`);
    }
    // Of start(null), which nothing ends by itself: stopped, and its folder is gone.
    async discard() {
        await this.stop();
        if (!process.env.GATEHOUSE_KEEP) fs.rmSync(path.dirname(this.data), { recursive: true, force: true });
    }
    kill9() {
        return this.end('SIGKILL');
    }
    async restart(signal = 'SIGKILL') {
        await (signal === 'SIGTERM' ? this.stop() : this.end(signal));
        return this.launch();
    }

    // const iam = server.client(IAMClient), or with { credentials: {…} } and the like.
    client(Client, options = {}) {
        const client = new Client({
            endpoint: this.url,
            region,
            credentials: this.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' },
            maxAttempts: 1,
            ...options,
        });
        this.clients.push(client);
        return client;
    }

    fetch(target, options) {
        return fetch(this.url + target, options);
    }

    async outbox(to) {
        const answer = await this.fetch(`/_gatehouse/outbox?to=${encodeURIComponent(to)}`);
        if (answer.status !== 200) throw new Error(`outbox answers ${answer.status}: ${await answer.text()}`);
        return answer.json();
    }
    // The code of the newest message to `to`.
    async code(to) {
        const messages = await eventually(`a message to ${to}`, async () => {
            const list = await this.outbox(to);
            return list.length > 0 && list;
        });
        return messages.at(-1).code;
    }
}

// wrap: words before the binary, ['sh', '-c', 'ulimit -f 9; exec "$0" "$@"'] for example.
// stocked: the folder begins with signing keys (folder.mjs) instead of empty; two servers with one folder have the same keys.
// t: the test's context (stops the server when the test ends), or null for scripts that stop it themselves.
export async function start(t, { mode = 'dev', args = [], env = {}, data, port, tls = false, wrap = [], stocked = data === undefined && mode === 'dev' } = {}) {
    const folder = data ?? path.join(scratch(t), 'data');
    if (stocked) await stockedFolder(folder, binary(), (data) => start(null, { data }));
    for (let tries = 0; ; tries++) {
        const tlsPort = tls ? await freePort() : undefined;
        const server = new Gatehouse({ mode, args, env, data: folder, wrap, tlsPort, port: port ?? (await freePort()) });
        try {
            await server.launch();
            atEnd(t, () => server.stop());
            return server;
        } catch (error) {
            // Somebody took the port between our looking and the binary's binding.
            if (error.exitCode === 2 && port === undefined && tries < 3 && /in use/i.test(error.message)) continue;
            throw error;
        }
    }
}

// Runs a verb of the binary (or another program) to its end.
export function run(command, args, { env = {}, input = '', cwd } = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
        let stdout = '', stderr = '';
        child.stdout.on('data', (piece) => (stdout += piece));
        child.stderr.on('data', (piece) => (stderr += piece));
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
        child.stdin.on('error', () => {});
        child.stdin.end(input);
    });
}

// A plain HTTP/1.1 request with exactly these headers (fetch adds its own and guards `Host`).
export function request(url, { method = 'GET', headers = {}, body, agent } = {}) {
    return new Promise((resolve, reject) => {
        const req = http.request(url, { method, headers, agent }, (res) => {
            const pieces = [];
            res.on('data', (piece) => pieces.push(piece));
            res.on('error', reject);
            res.on('end', () => {
                const text = Buffer.concat(pieces).toString();
                resolve({ status: res.statusCode, headers: res.headers, rawHeaders: res.rawHeaders, text, json: () => JSON.parse(text) });
            });
        });
        req.on('error', reject);
        req.end(body);
    });
}

// serve mode: the root user's key, as the first start wrote it down.
export function rootKey(server) {
    const text = fs.readFileSync(path.join(server.data, 'root-credentials'), 'utf8');
    return {
        accessKeyId: /aws_access_key_id = (\S+)/.exec(text)[1],
        secretAccessKey: /aws_secret_access_key = (\S+)/.exec(text)[1],
    };
}
