// Chromium without a window, told what to do over a pipe (DevTools protocol): no package is needed for that.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { atEnd, scratch } from './harness.mjs';

const program = () => {
    const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => fs.existsSync(file));
    if (!found) throw new Error('no chromium: ./dev test installs it');
    return found;
};

class Browser {
    constructor(child) {
        this.child = child;
        this.waiting = new Map();
        this.last = 0;
        let rest = '';
        child.stdio[4].setEncoding('utf8').on('data', (text) => {
            const messages = (rest + text).split('\0');
            rest = messages.pop();
            for (const message of messages) this.take(JSON.parse(message));
        });
        this.gone = new Promise((resolve) => child.once('exit', resolve));
        this.gone.then((code) => {
            for (const { reject } of this.waiting.values()) reject(new Error(`chromium ended with ${code}`));
        });
    }
    take({ id, method, sessionId, result, error }) {
        if (id === undefined) return this.onEvent?.(method, sessionId);
        const { resolve, reject } = this.waiting.get(id);
        this.waiting.delete(id);
        if (error) reject(new Error(error.message));
        else resolve(result);
    }
    send(method, params = {}, sessionId = undefined) {
        const id = ++this.last;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        });
    }
}

// A page with its own session: send() for the protocol, run() for a function in the page, which may be async.
class Page {
    constructor(browser, sessionId) {
        Object.assign(this, { browser, sessionId });
    }
    send(method, params) {
        return this.browser.send(method, params, this.sessionId);
    }
    async open(url) {
        const loaded = new Promise((resolve) => (this.browser.onEvent = (method, id) => id === this.sessionId && method === 'Page.loadEventFired' && resolve()));
        await this.send('Page.enable');
        const { errorText } = await this.send('Page.navigate', { url });
        if (errorText) throw new Error(`${url}: ${errorText}`);
        await loaded;
    }
    async run(fn, ...args) {
        const expression = `(${fn})(...${JSON.stringify(args)})`;
        const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }
}

export async function openBrowser(t) {
    const folder = scratch(t, 'chromium');
    const log = fs.openSync(path.join(folder, 'log'), 'a');
    const child = spawn(program(), [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
        '--disable-background-networking', '--disable-component-update', '--disable-sync', '--metrics-recording-only',
        `--user-data-dir=${path.join(folder, 'profile')}`, '--remote-debugging-pipe', 'about:blank',
    ], { stdio: ['ignore', log, log, 'pipe', 'pipe'], env: { ...process.env, HOME: folder } });
    const browser = new Browser(child);
    atEnd(t, async () => {
        await browser.send('Browser.close').catch(() => child.kill('SIGKILL'));
        await browser.gone;
    });
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    return new Page(browser, sessionId);
}

// An authenticator of the machine's own, as fingerprint readers are.
export async function addAuthenticator(page, { verifies = true } = {}) {
    await page.send('WebAuthn.enable');
    const { authenticatorId } = await page.send('WebAuthn.addVirtualAuthenticator', {
        options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: verifies, automaticPresenceSimulation: true },
    });
    return {
        verify: (isUserVerified) => page.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
        credentials: async () => (await page.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
        remove: () => page.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    };
}
