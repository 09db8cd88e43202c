// The main story: the scripts of examples/first-api, as people run them, one after another.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { atEnd, binary, root, run, scratch, start } from './support/harness.mjs';

const folder = path.join(root, 'examples/first-api');

test('from sign-up to a signed call, with unmodified AWS clients', { timeout: 170000 }, async (t) => {
    const dir = scratch(t);
    const server = await start(t, { data: path.join(dir, 'data') });
    const backend = spawn(process.execPath, [path.join(folder, 'backend.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    atEnd(t, () => backend.kill());
    const [address] = await new Promise((resolve) => backend.stdout.once('data', (line) => resolve(String(line).split('\n'))));
    const story = path.join(dir, 'story.env');
    const env = {
        AWS_ENDPOINT_URL: server.url, GATEHOUSE: binary(), BACKEND: address, STORY: story, HOME: dir,
        AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true',
        AWS_PAGER: '',
    };
    atEnd(t, () => {
        const pid = fs.existsSync(story) && fs.readFileSync(story, 'utf8').match(/^SERVER_PID=(\d+)$/m);
        if (pid) process.kill(Number(pid[1]));
    });
    const steps = [
        ['the newcomer\'s minute', 'bash', '1-minute.sh'],
        ['sign-up with the AWS CLI', 'bash', '2-sign-up.sh'],
        ['sign-in by SRP, tokens that verify', process.execPath, '3-sign-in.mjs'],
        ['functions with boto3', 'python3', '4-functions.py'],
        ['a REST API with the SDK for JavaScript', process.execPath, '5-rest-api.mjs'],
        ['an IAM user with boto3', 'python3', '6-permissions.py'],
        ['a power cut', 'bash', '7-power-cut.sh', server.pid, 'dev', '--data', server.data, '--listen', new URL(server.url).host],
    ];
    for (const [name, command, script, ...args] of steps) {
        await t.test(name, async () => {
            const { code, stdout, stderr } = await run(command, [path.join(folder, script), ...args.map(String)], { env });
            assert.equal(code, 0, `${script} says:\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`);
        });
    }
});
