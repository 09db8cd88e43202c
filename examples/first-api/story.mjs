// Shared by the Node scripts: what earlier steps made, and clients that go to Gatehouse.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = process.env.STORY ?? fileURLToPath(new URL('story.env', import.meta.url));
export const endpoint = process.env.AWS_ENDPOINT_URL ?? 'http://127.0.0.1:4566';
export const backend = process.env.BACKEND ?? 'http://127.0.0.1:3000';
export const options = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? 'test', secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? 'test' },
};
export const story = Object.fromEntries(
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)) : [],
);
export const remember = (name, value) => {
    story[name] = value;
    fs.appendFileSync(file, `${name}=${value}\n`);
};
export const say = (text) => console.log(`\n# ${text}`);
export const same = (what, came, expected) => {
    assert.deepEqual(came, expected, what);
    console.log(`${what}: ${JSON.stringify(came)}`);
};
export async function refused(what, promise, name) {
    const error = await promise.then(() => assert.fail(`${what}: was allowed`), (refusal) => refusal);
    assert.equal(error.name, name, `${what}: ${error.message}`);
    console.log(`${what}: ${error.name}: ${error.message}`);
    return error;
}
