// Functions: three runtimes, warm processes, limits, everything that a function can do wrong, and
// the sandbox (section (g) of the security cases; its numbers stand in the names).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test, { before, after } from 'node:test';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import * as lambda from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import { account, eventually, root, start } from './support/harness.mjs';
import { zip } from './support/zip.mjs';

const Role = `arn:aws:iam::${account}:role/functions`;
let server, api, bootstrap;

function apiOf(of) {
    const client = of.client(lambda.LambdaClient);
    return new Proxy({}, { get: (_, name) => (input = {}) => client.send(new lambda[`${name[0].toUpperCase()}${name.slice(1)}Command`](input)) });
}

before(async () => {
    server = await start(null);
    api = apiOf(server);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bootstrap-'));
    execFileSync('cc', ['-D_GNU_SOURCE', '-w', '-O1', '-o', `${folder}/bootstrap`, path.join(root, 'tests/e2e/support/bootstrap.c')]);
    bootstrap = fs.readFileSync(`${folder}/bootstrap`);
    fs.rmSync(folder, { recursive: true });
});
after(() => server.stop());

let made = 0;
async function make(files, options = {}) {
    const names = Object.keys(files);
    const FunctionName = `f${++made}`;
    const Runtime = names.includes('bootstrap') ? 'provided.al2023' : names.some((n) => n.endsWith('.py')) ? 'python3.12' : 'nodejs20.x';
    const Handler = Runtime.startsWith('python') ? 'main.handler' : 'index.handler';
    await api.createFunction({ FunctionName, Runtime, Handler, Role, Code: { ZipFile: zip(files) }, Timeout: 10, ...options });
    return FunctionName;
}
const node = (code, options) => make({ 'index.mjs': code }, options);
const python = (code, options) => make({ 'main.py': code }, options);

// { value, error, log, version }
async function invoke(FunctionName, event = {}, options = {}) {
    const answer = await api.invoke({ FunctionName, Payload: JSON.stringify(event), LogType: 'Tail', ...options });
    const text = Buffer.from(answer.Payload).toString();
    let value;
    try {
        value = JSON.parse(text);
    } catch {
        value = text;
    }
    return { value, error: answer.FunctionError, log: Buffer.from(answer.LogResult ?? '', 'base64').toString(), version: answer.ExecutedVersion, id: answer.$metadata.requestId };
}

async function refused(promise, name, message) {
    const error = await promise.then(() => assert.fail(`expected ${name}`), (e) => e);
    assert.equal(error.name, name, error.message);
    if (message) assert.match(error.message, message instanceof RegExp ? message : new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
    return error;
}

const processesWith = (mark) =>
    fs.readdirSync('/proc').filter((pid) => {
        try {
            return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
        } catch {
            return false;
        }
    });

// ---- what works ----

test('node: module, promise, context, log lines with the request id', async () => {
    const name = await node(`export const handler = async (event, context) => {
        console.log('seen', event.a);
        return { event, id: context.awsRequestId, name: context.functionName, memory: context.memoryLimitInMB,
                 arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis(), user: (await import('node:os')).userInfo().username };
    };`);
    const { value, log, error, version, id } = await invoke(name, { a: 1 });
    assert.equal(error, undefined);
    assert.equal(version, '$LATEST');
    assert.deepEqual(value.event, { a: 1 });
    assert.equal(value.id, id);
    assert.equal(value.arn, `arn:aws:lambda:us-east-1:${account}:function:${name}`);
    assert.equal(value.memory, '128');
    assert.ok(value.left > 8000 && value.left <= 10000, `left ${value.left}`);
    assert.equal(value.user, 'sbx_user1051');
    assert.match(log, new RegExp(`^START RequestId: ${id} Version: \\$LATEST\\n\\S+Z\\t${id}\\tINFO\\tseen 1\\nEND RequestId: ${id}\\nREPORT RequestId: ${id}\\tDuration: [\\d.]+ ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: \\d+ MB\\tInit Duration: [\\d.]+ ms\\t\\n$`));
});

test('node: CommonJS, callback, nested export, no return value', async () => {
    const name = await make({ 'lib/app.cjs': `exports.deep = { run: (event, context, callback) => setTimeout(() => callback(null, event.n + 1), 5),
        nothing: async () => {} };` }, { Handler: 'lib/app.deep.run' });
    assert.equal((await invoke(name, { n: 1 })).value, 2);
    await api.updateFunctionConfiguration({ FunctionName: name, Handler: 'lib/app.deep.nothing' });
    assert.equal((await invoke(name)).value, null);
});

test('python: context, print and logging', async () => {
    const name = await python(`import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    print("printed")
    logging.info("logged")
    return {"event": event, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(), "name": context.function_name}
`);
    const { value, log, id } = await invoke(name, [1, 'ü']);
    assert.deepEqual(value.event, [1, 'ü']);
    assert.equal(value.id, id);
    assert.ok(value.left > 8000);
    assert.match(log, new RegExp(`printed\\n\\[INFO\\]\\t\\S+Z\\t${id}\\tlogged\\n`));
});

test('a compiled bootstrap, and answers that are no JSON', async () => {
    const name = await make({ bootstrap });
    const first = await invoke(name, { do: 'echo', n: [1, 2] });
    assert.deepEqual(first.value, { do: 'echo', n: [1, 2] });
    assert.match(first.log, /^the C runtime starts\nSTART /);
    assert.equal((await invoke(name, { do: 'text' })).value, 'plain words');
});

test('the environment is what Lambda sets, and nothing of ours (g12)', async () => {
    const name = await node('export const handler = async () => process.env;', { Environment: { Variables: { COLOUR: 'blue', TZ: 'Europe/Berlin' } } });
    const { value: env } = await invoke(name);
    const expected = { _HANDLER: 'index.handler', AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x',
        AWS_LAMBDA_FUNCTION_NAME: name, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128', AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand', AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`, LAMBDA_TASK_ROOT: '/var/task',
        LAMBDA_RUNTIME_DIR: '/var/runtime', LANG: 'en_US.UTF-8', TZ: 'Europe/Berlin', PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
        COLOUR: 'blue', PWD: '/var/task', AWS_ENDPOINT_URL: server.url };
    for (const [key, value] of Object.entries(expected)) assert.equal(env[key], value, key);
    assert.match(env.AWS_LAMBDA_LOG_STREAM_NAME, /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
    assert.match(env.AWS_LAMBDA_RUNTIME_API, /^127\.0\.0\.1:\d+$/);
    const known = [...Object.keys(expected), 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_LAMBDA_RUNTIME_API', '_X_AMZN_TRACE_ID', 'LD_LIBRARY_PATH', 'NODE_PATH',
        'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
    assert.deepEqual(Object.keys(env).filter((key) => !known.includes(key)), []);
});

test('a function has its role\'s keys for an hour; a role that is not there gives none', async () => {
    const iam = server.client(IAMClient);
    const trusting = (Service) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] });
    const code = 'export const handler = async () => process.env;';
    const { Role: good } = await iam.send(new CreateRoleCommand({ RoleName: 'runs', AssumeRolePolicyDocument: trusting('lambda.amazonaws.com') }));
    const { Role: bad } = await iam.send(new CreateRoleCommand({ RoleName: 'other', AssumeRolePolicyDocument: trusting('ec2.amazonaws.com') }));
    const name = await node(code, { Role: good.Arn });
    const { value: env } = await invoke(name);
    const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY, sessionToken: env.AWS_SESSION_TOKEN };
    const me = await server.client(STSClient, { credentials }).send(new GetCallerIdentityCommand({}));
    assert.equal(me.Arn, `arn:aws:sts::${account}:assumed-role/runs/${name}`);
    await refused(server.client(lambda.LambdaClient, { credentials }).send(new lambda.ListFunctionsCommand({})), 'AccessDeniedException', /is not authorized to perform: lambda:ListFunctions/);
    const without = await node(code, { Role: bad.Arn });
    assert.equal((await invoke(without)).value.AWS_ACCESS_KEY_ID, undefined);
});

test('a wrapper starts the runtime (AWS_LAMBDA_EXEC_WRAPPER)', async () => {
    const files = { 'index.mjs': 'export const handler = async () => process.env.WRAPPED;', wrapper: '#!/bin/sh\nexport WRAPPED="$(basename "$1")"\nexec "$@"\n' };
    const options = { Runtime: 'nodejs20.x', Handler: 'index.handler', Role, Timeout: 5 };
    const ZipFile = zip(files, { executable: ['wrapper'] });
    await api.createFunction({ ...options, FunctionName: 'wrapped', Code: { ZipFile }, Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/wrapper' } } });
    assert.equal((await invoke('wrapped')).value, 'node');
    await api.updateFunctionConfiguration({ FunctionName: 'wrapped', Environment: { Variables: { AWS_LAMBDA_EXEC_WRAPPER: '/var/task/missing' } } });
    assert.match((await invoke('wrapped')).value.errorMessage, /Error: Runtime exited with error: exit status 127$/);
});

test('one process serves again and again; more come under concurrency; a change replaces them', async () => {
    const name = await node(`let n = 0; const stream = process.env.AWS_LAMBDA_LOG_STREAM_NAME;
        export const handler = async (e) => { await new Promise((r) => setTimeout(r, e.wait ?? 0)); return { n: ++n, stream }; };`);
    const first = (await invoke(name)).value, second = (await invoke(name)).value;
    assert.deepEqual([first.n, second.n, second.stream], [1, 2, first.stream]);
    let three;
    for (const wait of [400, 2000]) { // on a slow machine the first may be through before the third begins
        three = await Promise.all([1, 2, 3].map(() => invoke(name, { wait })));
        if (new Set(three.map((one) => one.value.stream)).size === 3) break;
    }
    assert.equal(new Set(three.map((one) => one.value.stream)).size, 3);
    await api.updateFunctionConfiguration({ FunctionName: name, Environment: { Variables: { CHANGED: '1' } } });
    const after_ = (await invoke(name)).value;
    assert.equal(after_.n, 1);
    assert.ok(!three.some((one) => one.value.stream === after_.stream), 'an old process was used');
});

test('versions keep their code, aliases point and split, $LATEST moves on', async () => {
    const name = await node('export const handler = async (e, c) => ["one", c.invokedFunctionArn];');
    await api.publishVersion({ FunctionName: name });
    await api.updateFunctionCode({ FunctionName: name, ZipFile: zip({ 'index.mjs': 'export const handler = async (e, c) => ["two", c.invokedFunctionArn];' }) });
    await api.publishVersion({ FunctionName: name });
    assert.equal((await invoke(name)).value[0], 'two');
    const old = await invoke(name, {}, { Qualifier: '1' });
    assert.deepEqual([old.value[0], old.version], ['one', '1']);
    await api.createAlias({ FunctionName: name, Name: 'live', FunctionVersion: '1' });
    const live = await invoke(`${name}:live`);
    assert.deepEqual([live.value[0], live.version, live.value[1].split(':').at(-1)], ['one', '1', 'live']);
    await api.updateAlias({ FunctionName: name, Name: 'live', RoutingConfig: { AdditionalVersionWeights: { 2: 1.0 } } });
    assert.equal((await invoke(`${name}:live`)).version, '2');
    await refused(invoke(name, {}, { Qualifier: '9' }), 'ResourceNotFoundException', `Function not found: arn:aws:lambda:us-east-1:${account}:function:${name}:9`);
});

test('GetFunction links to the package; the link cannot be changed', async () => {
    const bytes = zip({ 'index.mjs': 'export const handler = async () => 1;' });
    await api.createFunction({ FunctionName: 'linked', Runtime: 'nodejs20.x', Handler: 'index.handler', Role, Code: { ZipFile: bytes } });
    const { Code } = await api.getFunction({ FunctionName: 'linked' });
    assert.deepEqual(Buffer.from(await (await fetch(Code.Location)).arrayBuffer()), bytes);
    assert.equal((await fetch(Code.Location.replace(/.$/, (c) => (c === '0' ? '1' : '0')))).status, 403);
});

// ---- what functions do wrong ----

test('node: thrown errors, strings, rejections nobody waits for, promises never settled', async () => {
    const name = await node(`class Odd extends Error { constructor(m) { super(m); this.name = 'OddError'; } }
        export const handler = async (e) => {
            if (e.do === 'throw') throw new Odd('so');
            if (e.do === 'string') throw 'just words';
            if (e.do === 'loose') { Promise.reject(new Error('loose')); await new Promise((r) => setTimeout(r, 1000)); }
            if (e.do === 'never') return new Promise(() => {});
            return 'fine';
        };`);
    const thrown = await invoke(name, { do: 'throw' });
    assert.equal(thrown.error, 'Unhandled');
    assert.deepEqual([thrown.value.errorType, thrown.value.errorMessage, thrown.value.trace[0]], ['OddError', 'so', 'OddError: so']);
    assert.match(thrown.log, /ERROR\tInvoke Error \t\{"errorType":"OddError"|ERROR\tInvoke Error/);
    assert.equal((await invoke(name, { do: 'string' })).value.errorMessage, 'just words');
    assert.equal((await invoke(name, { do: 'loose' })).value.errorType, 'Runtime.UnhandledPromiseRejection');
    assert.equal((await invoke(name, { do: 'never' })).value.errorType, 'Runtime.NodeJsExit');
    assert.equal((await invoke(name)).value, 'fine');
});

test('python: raised errors, values that are no JSON', async () => {
    const name = await python(`def handler(event, context):
    if event.get("set"):
        return {1, 2}
    raise ValueError("no good")
`);
    const raised = await invoke(name);
    assert.deepEqual([raised.error, raised.value.errorType, raised.value.errorMessage, raised.value.requestId], ['Unhandled', 'ValueError', 'no good', raised.id]);
    assert.deepEqual(raised.value.stackTrace, ['  File "/var/task/main.py", line 4, in handler\n    raise ValueError("no good")\n']);
    assert.match(raised.log, /\[ERROR\] ValueError: no good\nTraceback \(most recent call last\):\n/);
    const marshal = await invoke(name, { set: 1 });
    assert.deepEqual([marshal.value.errorType, marshal.value.errorMessage],
        ['Runtime.MarshalError', 'Unable to marshal response: Object of type set is not JSON serializable']);
});

test('node: a streaming handler; Invoke has its answer as one, or what went wrong', async () => {
    const name = await node(`
        export const handler = awslambda.streamifyResponse(async (event, out, context) => {
            if (event.prelude) out = awslambda.HttpResponseStream.from(out, event.prelude);
            if (event.early) throw new TypeError('early');
            for (const piece of event.pieces ?? []) out.write(piece);
            if (event.object) out.write({ id: context.awsRequestId });
            if (event.late) await new Promise((resolve) => out.write('x', () => resolve()));
            if (event.late) throw new RangeError('late');
            if (event.throwsLater) { out.write('y'); setTimeout(() => { throw new Error('nobody waits'); }); await new Promise(() => {}); }
            out.end();
        });
        export const plain = awslambda.streamifyResponse(() => {});`);
    assert.equal((await invoke(name, { pieces: ['one ', 'two ', 'three'] })).value, 'one two three');
    assert.equal((await api.invoke({ FunctionName: name, Payload: '{}' })).FunctionError, undefined);
    const { value, id } = await invoke(name, { object: true });
    assert.deepEqual(value, { id });
    assert.equal((await invoke(name, { prelude: { statusCode: 201 }, pieces: ['body'] })).value, '{"statusCode":201}' + '\0'.repeat(8) + 'body');
    const early = await invoke(name, { early: true });
    assert.deepEqual([early.error, early.value.errorType, early.value.errorMessage], ['Unhandled', 'TypeError', 'early']);
    const late = await invoke(name, { late: true });
    assert.deepEqual([late.error, late.value.errorType], ['Unhandled', 'RangeError']);
    assert.match(late.log, /late/);
    const uncaught = await invoke(name, { throwsLater: true });
    assert.equal(uncaught.error, 'Unhandled');
    assert.equal((await invoke(name, { pieces: ['again'] })).value, 'again');
    await api.updateFunctionConfiguration({ FunctionName: name, Handler: 'index.plain' });
    assert.equal((await invoke(name)).value.errorMessage, 'Streaming does not support non-async handlers.');
});

test('handlers that are not there, modules that do not load', async () => {
    const rows = [
        [{ 'index.mjs': 'export const other = 1;' }, {}, 'Runtime.HandlerNotFound', 'index.handler is undefined or not exported'],
        [{ 'other.mjs': '' }, {}, 'Runtime.ImportModuleError', /^Error: Cannot find module 'index'\nRequire stack:\n- /],
        [{ 'index.mjs': 'export const = ;' }, {}, 'Runtime.UserCodeSyntaxError', /^SyntaxError: /],
        [{ 'main.py': 'x = 1' }, {}, 'Runtime.HandlerNotFound', "Handler 'handler' missing on module 'main'"],
        [{ 'other.py': '' }, {}, 'Runtime.ImportModuleError', "Unable to import module 'main': No module named 'main'"],
        [{ bootstrap }, { Environment: { Variables: { INIT_FAILS: '1' } } }, 'Init.Refused', 'not today'],
        [{ bootstrap }, { Environment: { Variables: { INIT_EXITS: '1' } } }, 'Runtime.ExitError', /^RequestId: \S+ Error: Runtime exited with error: exit status 7$/],
        [{ 'x.txt': 'x' }, { Runtime: 'provided.al2023' }, 'Runtime.InvalidEntrypoint', /Couldn't find valid bootstrap\(s\): \[\/var\/task\/bootstrap \/opt\/bootstrap\]$/],
    ];
    await Promise.all(rows.map(async ([files, options, type, message]) => {
        const { value, error } = await invoke(await make(files, options));
        assert.equal(error, 'Unhandled');
        assert.equal(value.errorType, type);
        if (message instanceof RegExp) assert.match(value.errorMessage, message);
        else assert.equal(value.errorMessage, message);
    }));
});

// What the C runtime was answered when it broke a rule is in its log a moment later.
const saw = (name, what) => eventually(`an answer like ${what}`, async () => what.test(await (await server.fetch(`/_gatehouse/functions/logs/${name}`)).text()));

test('a runtime that answers nonsense, twice, for others, too much, or not at all (g15)', async () => {
    const name = await make({ bootstrap }, { Timeout: 1 });
    assert.equal((await invoke(name, { do: 'twice' })).value, 1);
    await saw(name, /saw 400 .*InvalidRequestID/);
    assert.equal((await invoke(name, { do: 'forged' })).value, 'honest');
    await saw(name, /saw 400 .*InvalidRequestID[^]*saw 400 .*InvalidRequestID/);
    assert.equal((await invoke(name, { do: 'next' })).value, 'late');
    await saw(name, /saw 403 .*InvalidStateTransition/);
    const huge = await invoke(name, { do: 'huge' });
    assert.deepEqual(huge.value, { errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).' });
    await saw(name, /saw 413 .*RequestEntityTooLarge/);
    const silent = await invoke(name, { do: 'silent' });
    assert.equal(silent.value.errorType, 'Sandbox.Timedout');
    assert.match(silent.value.errorMessage, /^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/);
    assert.match(silent.log, /Z \S+ Task timed out after 1\.00 seconds\n\nEND RequestId.*\nREPORT .*Duration: 1000\.00 ms.*Status: timeout/);
    const garbage = await invoke(name, { do: 'garbage' });
    assert.match(garbage.value.errorType, /Sandbox.Timedout|Runtime.ExitError/);
    assert.deepEqual((await invoke(name, { do: 'echo' })).value, { do: 'echo' });
});

test('exits and signals', async () => {
    const name = await make({ bootstrap });
    const exit = await invoke(name, { do: 'exit' });
    assert.deepEqual([exit.error, exit.value.errorType], ['Unhandled', 'Runtime.ExitError']);
    assert.equal(exit.value.errorMessage, `RequestId: ${exit.id} Error: Runtime exited with error: exit status 5`);
    assert.equal((await invoke(name, { do: 'abort' })).value.errorMessage.split('Error: ')[1], 'Runtime exited with error: signal: aborted');
    assert.deepEqual((await invoke(name, { do: 'echo' })).value, { do: 'echo' });
    const quiet = await node('export const handler = async () => process.exit(0);');
    assert.match((await invoke(quiet)).value.errorMessage, /Error: Runtime exited without providing a reason$/);
});

test('a timeout ends the whole process tree, daemons too (g06, g16)', async () => {
    const mark = `98765${process.pid}`;
    const name = await node(`import { spawn } from 'node:child_process';
        export const handler = async () => {
            spawn('/bin/sh', ['-c', 'setsid sleep ${mark} & sleep ${mark}'], { detached: true, stdio: 'ignore' }).unref();
            await new Promise((r) => setTimeout(r, 50));
            for (;;);
        };`, { Timeout: 1 });
    const begun = Date.now();
    const running = invoke(name);
    await eventually('the daemons', () => processesWith(mark).length >= 2);
    const { value } = await running;
    assert.equal(value.errorType, 'Sandbox.Timedout');
    assert.ok(Date.now() - begun < 4000);
    await eventually('an end of all of them', () => processesWith(mark).length === 0, 2000);
});

test('memory beyond the limit: killed (g04)', async () => {
    const name = await node(`export const handler = async () => { const all = [];
        for (;;) { all.push(Buffer.alloc(8 << 20, 1)); await new Promise((r) => setTimeout(r, 5)); } };`);
    const { value, log } = await invoke(name);
    assert.match(value.errorMessage, /Runtime exited with error: signal: killed$/);
    assert.match(log, /Status: error\tError Type: Runtime.ExitError/);
});

test('output: the tail is 4 KiB, a flood is cut (g14)', async () => {
    const name = await node(`export const handler = async (e) => { if (e.flood) { const line = 'x'.repeat(65535) + '\\n'; for (let i = 0; i < 640; i++) process.stdout.write(line); }
            else for (let i = 0; i < 500; i++) console.log('line', i); return 'done'; };`);
    const tail = await invoke(name);
    assert.equal(tail.log.length, 4096);
    assert.match(tail.log, /line 499\nEND RequestId/);
    assert.equal((await invoke(name, { flood: 1 })).value, 'done');
    const file = path.join(server.data, 'functions/logs', account, 'us-east-1', `${name}.log`);
    const kept = await eventually('a log file', () => fs.existsSync(file) && fs.statSync(file).size);
    assert.ok(kept < 3 << 20, `kept ${kept} of 40 MiB`);
});

test('what is kept of the output can be read', async () => {
    const name = await node("export const handler = async () => console.log('remember me');");
    await invoke(name);
    const text = await eventually('the log', async () => {
        const answer = await server.fetch(`/_gatehouse/functions/logs/${name}`);
        return answer.status === 200 && (await answer.text());
    });
    assert.match(text, /START RequestId.*\n.*remember me\n/);
});

// ---- limits and requests ----

test('concurrency: what is reserved is a limit', async () => {
    const name = await node('export const handler = async () => new Promise((r) => setTimeout(() => r(1), 300));');
    await api.putFunctionConcurrency({ FunctionName: name, ReservedConcurrentExecutions: 1 });
    const results = await Promise.allSettled([invoke(name), invoke(name), invoke(name)]);
    assert.equal(results.filter((r) => r.status === 'fulfilled').length, 1);
    const { reason } = results.find((r) => r.status === 'rejected');
    assert.deepEqual([reason.name, reason.$metadata.httpStatusCode, reason.Reason, reason.Type, reason.message],
        ['TooManyRequestsException', 429, 'ReservedFunctionConcurrentInvocationLimitExceeded', 'User', 'Rate Exceeded.']);
    await api.putFunctionConcurrency({ FunctionName: name, ReservedConcurrentExecutions: 0 });
    await refused(invoke(name), 'TooManyRequestsException', 'Rate Exceeded.');
    await api.deleteFunctionConcurrency({ FunctionName: name });
    assert.equal((await invoke(name)).value, 1);
});

test('many slow invocations do not hold up management calls', async () => {
    const name = await node('export const handler = async () => new Promise((r) => setTimeout(() => r(1), 1500));');
    const slow = Array.from({ length: 12 }, () => invoke(name));
    const begun = Date.now();
    await api.getFunction({ FunctionName: name });
    assert.ok(Date.now() - begun < 1000, 'GetFunction waited for functions');
    for (const one of await Promise.all(slow)) assert.equal(one.value, 1);
});

test('a function calls another through us', async () => {
    const inner = await node('export const handler = async (e) => e.n * 2;');
    const outer = await python(`import json, os, time, urllib.request
def handler(event, context):
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/2015-03-31/functions/${inner}/invocations", data=b'{"n": 21}', method="POST",
        headers={"X-Amz-Date": now, "Authorization": "AWS4-HMAC-SHA256 Credential=test/" + now[:8] + "/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64})
    return json.load(urllib.request.urlopen(request))
`);
    assert.equal((await invoke(outer)).value, 42);
});

test('payloads that are no JSON or too large; dry run; unknown functions', async () => {
    const name = await node('export const handler = async () => 1;');
    await refused(api.invoke({ FunctionName: name, Payload: '{not json' }), 'InvalidRequestContentException', /^Could not parse request body into json: /);
    await refused(api.invoke({ FunctionName: name, Payload: `"${'x'.repeat(6291456)}"` }), 'RequestTooLargeException');
    assert.equal((await api.invoke({ FunctionName: name, InvocationType: 'DryRun' })).StatusCode, 204);
    await refused(invoke('nobody'), 'ResourceNotFoundException', `Function not found: arn:aws:lambda:us-east-1:${account}:function:nobody:$LATEST`);
    assert.equal((await api.invoke({ FunctionName: name })).StatusCode, 200);
});

// Python's zipfile deflates that in a second.
const bomb = (bytes) => execFileSync('/usr/bin/env', ['python3', '-c', `import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z: z.writestr("zeros", bytes(${bytes}))
sys.stdout.buffer.write(out.getvalue())`], { maxBuffer: 1 << 26 });

test('packages that are refused', async () => {
    const unzip = 'Could not unzip uploaded file. Please check your file, then try to upload again.';
    const good = zip({ 'index.mjs': 'export const handler = 1;' });
    const rows = [
        ['no zip at all', Buffer.from('this is not a zipfile'), unzip],
        ['cut short', good.subarray(0, good.length - 30), unzip],
        ['a flipped byte', Buffer.from(good.map((b, i) => (i === 45 ? b ^ 0xff : b))), unzip],
        ['up and out', zip({ '../../evil': 'x' }), unzip],
        ['absolute', zip({ '/tmp/gatehouse-evil': 'x' }), unzip],
        ['270 MB of zeros', bomb(270 << 20), 'Unzipped size must be smaller than 262144000 bytes'],
    ];
    for (const [what, ZipFile, message] of rows)
        await refused(api.createFunction({ FunctionName: 'broken', Runtime: 'nodejs20.x', Handler: 'i.h', Role, Code: { ZipFile } }), 'InvalidParameterValueException', message)
            .catch((e) => { e.message = `${what}: ${e.message}`; throw e; });
    await refused(api.getFunction({ FunctionName: 'broken' }), 'ResourceNotFoundException');
    assert.equal(fs.existsSync('/tmp/gatehouse-evil'), false);
    assert.deepEqual(fs.readdirSync(path.join(server.data, 'functions/incoming')), []);
});

test('what is not enforced is refused by name', async () => {
    const base = { FunctionName: 'refused', Runtime: 'nodejs20.x', Handler: 'i.h', Role, Code: { ZipFile: zip({ 'i.mjs': '' }) } };
    const rows = [
        [{ Runtime: 'java21' }, /The runtime java21 is not supported/],
        [{ Runtime: 'go1.x' }, /The runtime parameter of go1.x is no longer supported/],
        [{ Code: { S3Bucket: 'bucket', S3Key: 'k' } }, /Code.S3Bucket is not supported/],
        [{ Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:l:1'] }, /Layers is not supported/],
        [{ TracingConfig: { Mode: 'Active' } }, /TracingConfig.Mode Active is not supported/],
        [{ VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } }, /VpcConfig is not supported/],
        [{ DeadLetterConfig: { TargetArn: `arn:aws:sqs:us-east-1:${account}:q` } }, /DeadLetterConfig.TargetArn is not supported/],
        [{ Environment: { Variables: { AWS_REGION: 'x' } } }, /Reserved keys used in this request: AWS_REGION$/],
    ];
    for (const [extra, message] of rows) await refused(api.createFunction({ ...base, ...extra }), 'InvalidParameterValueException', message);
});

// ---- the sandbox ----

const attempts = `import ctypes, os, socket, resource
libc = ctypes.CDLL(None, use_errno=True)
def tried(fn):
    try:
        fn()
        return "done"
    except OSError as e:
        return os.strerror(e.errno)
def call(number, *args):
    ctypes.set_errno(0)
    libc.syscall.restype = ctypes.c_long
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")
def read(p):
    open(p, "rb").read()
def write(p):
    open(p, "wb").write(b"x")
`;

test('files: nothing of the machine is there, only /tmp can be written (g01, g02, g11)', async () => {
    const db = fs.readdirSync(server.data).map((file) => path.join(server.data, file));
    const name = await python(`${attempts}
def handler(event, context):
    fill = 0
    try:
        with open("/tmp/fill", "wb") as f:
            while fill < 700:
                f.write(b"x" * (1 << 20)); f.flush(); fill += 1
    except OSError as e:
        pass
    return {"read": {p: tried(lambda: read(p)) for p in event["read"]}, "write": {p: tried(lambda: write(p)) for p in event["write"]},
        "list": {p: sorted(os.listdir(p)) for p in ["/", "/etc", "/home", "/root"] if os.path.exists(p)}, "fill": fill,
        "tmp": tried(lambda: (os.remove("/tmp/fill"), write("/tmp/ok"))), "fds": len(os.listdir("/proc/self/fd")) - 1,
        "first": open("/proc/1/environ").read(), "pids": [p for p in os.listdir("/proc") if p.isdigit()]}
`, { Timeout: 60, MemorySize: 1024 });
    const { value } = await invoke(name, { read: ['/etc/shadow', '/root', ...db, server.data],
        write: ['/var/task/x', '/var/runtime/bootstrap.py', '/usr/x', '/etc/x', '/x', '/dev/x', '/proc/sys/kernel/hostname', '/proc/sys/vm/swappiness', '/opt/x'] });
    for (const [file, seen] of Object.entries(value.read)) assert.match(seen, /No such file|Permission denied/, file);
    for (const [file, seen] of Object.entries(value.write)) assert.match(seen, /Read-only file system|Permission denied/, file);
    assert.equal(value.first, '', 'the first process has an environment to read');
    assert.equal(value.tmp, 'done');
    assert.ok(value.fill < 520, `/tmp took ${value.fill} MiB`);
    assert.ok(!value.list['/etc'].includes('shadow'));
    assert.ok(value.fds <= 4, `${value.fds} descriptors`);
    assert.ok(value.pids.length <= 3, `sees processes ${value.pids}`);
});

test('system calls: namespaces, tracing, modules, keys, io_uring … are refused (g08, g09, g10)', async () => {
    const name = await python(`${attempts}
def handler(event, context):
    numbers = dict(unshare=(272, 0x10000000), clone=(56, 0x10000011, 0, 0, 0, 0), mount=(165, 0, 0, 0, 0, 0), setns=(308, 0, 0), pivot_root=(155, 0, 0),
        bpf=(321, 0, 0, 0), perf_event_open=(298, 0, 0, 0, 0, 0), userfaultfd=(323, 0), io_uring_setup=(425, 1, 0), keyctl=(250, 0, 0, 0, 0, 0),
        add_key=(248, 0, 0, 0, 0, 0), init_module=(175, 0, 0, 0), kexec_load=(246, 0, 0, 0, 0), personality=(135, 4),
        ptrace=(101, 16, 1, 0, 0), process_vm_readv=(310, 1, 0, 0, 0, 0, 0), chroot=(161, b"/tmp"))
    out = {name: tried(lambda: call(*args)) for name, args in numbers.items()}
    import fcntl, pty
    out["tiocsti"] = tried(lambda: fcntl.ioctl(pty.openpty()[1], 0x5412, b"x"))
    status = open("/proc/self/status").read()
    return {"calls": out, "privs": "NoNewPrivs:\\t1" in status, "caps": "CapEff:\\t0000000000000000" in status}
`);
    if (process.arch !== 'x64') return;
    const { value } = await invoke(name);
    for (const [call, seen] of Object.entries(value.calls)) assert.equal(seen, 'Operation not permitted', call);
    assert.deepEqual([value.privs, value.caps], [true, true]);
});

test('limits of descriptors, file sizes and processes (g05, g07)', async () => {
    const name = await python(`${attempts}
def handler(event, context):
    opened = 0
    try:
        files = []
        while True:
            files.append(open("/dev/null")); opened += 1
    except OSError:
        pass
    files.clear()
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return {"opened": opened, "sparse": tried(lambda: os.truncate(os.open("/tmp/s", os.O_RDWR | os.O_CREAT), 1 << 40)), "nproc": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0]}
`);
    const { value } = await invoke(name);
    assert.ok(value.opened < 1024);
    assert.match(value.sparse, /File too large|No space/);
    assert.deepEqual([value.nproc, value.core], [1024, 0]);
    const bomb = await python(`import os
def handler(event, context):
    while True:
        try:
            if os.fork() == 0:
                import time
                time.sleep(600)
        except OSError:
            pass
`, { Timeout: 2, MemorySize: 512 });
    const { value: bombed } = await invoke(bomb);
    assert.match(bombed.errorType, /Runtime.ExitError|Sandbox.Timedout/);
    assert.equal((await server.fetch('/_gatehouse/ready')).status, 200);
});

test('nobody else can speak to a function\'s runtime API: neither this process nor another function', async () => {
    const name = await node('export const handler = async () => process.env.AWS_LAMBDA_RUNTIME_API;');
    const [host, port] = (await invoke(name)).value.split(':');
    const stolen = await new Promise((resolve) => {
        const socket = net.connect(Number(port), host, () => socket.write('GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n'));
        let text = '';
        socket.on('data', (piece) => (text += piece));
        socket.on('error', () => resolve(text));
        socket.on('close', () => resolve(text));
    });
    assert.equal(stolen, '');
    const thief = await python(`import http.client
def handler(event, context):
    try:
        connection = http.client.HTTPConnection(event["api"], timeout=2)
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        return connection.getresponse().status
    except Exception as error:
        return type(error).__name__
`);
    assert.match(String((await invoke(thief, { api: `${host}:${port}` })).value), /RemoteDisconnected|ConnectionResetError/);
    assert.equal((await invoke(name)).value, `${host}:${port}`);
});

test('nothing is shared between functions and versions (g13)', async () => {
    const code = `import os
def handler(event, context):
    before = os.listdir("/tmp")
    open("/tmp/left", "w").write("x")
    return before
`;
    const one = await python(code), two = await python(code);
    assert.deepEqual((await invoke(one)).value, []);
    assert.deepEqual((await invoke(one)).value, ['left']);
    assert.deepEqual((await invoke(two)).value, []);
    await api.publishVersion({ FunctionName: one });
    assert.deepEqual((await invoke(one, {}, { Qualifier: '1' })).value, []);
});

test('health tells the sandbox and the interpreters', async () => {
    const { functions } = await (await server.fetch('/_gatehouse/health')).json();
    assert.equal(functions.sandbox.mode, 'bubblewrap');
    assert.deepEqual(functions.sandbox.namespaces, ['user', 'mount', 'pid', 'ipc', 'uts', 'cgroup']);
    assert.equal(functions.sandbox.seccomp, true);
    assert.equal(functions.runtimes['nodejs20.x'].version, execFileSync('/usr/bin/env', ['node', '--version']).toString().trim());
    assert.match(functions.runtimes['python3.12'].version, /^3\.\d+\.\d+/);
});

test('without the sandbox: functions run, health says so, daemons die too', async (t) => {
    const plain = await start(t, { args: ['--no-sandbox'] });
    const its = apiOf(plain);
    const mark = `87654${process.pid}`;
    const code = `import { spawn } from 'node:child_process'; import fs from 'node:fs';
        export const handler = async () => { spawn('/bin/sh', ['-c', 'setsid sleep ${mark} &'], { detached: true, stdio: 'ignore' }).unref();
            await new Promise((r) => setTimeout(r, 100)); process.exit(3); };`;
    await its.createFunction({ FunctionName: 'plain', Runtime: 'nodejs20.x', Handler: 'index.handler', Role, Code: { ZipFile: zip({ 'index.mjs': code }) } });
    const answer = await its.invoke({ FunctionName: 'plain' });
    assert.match(Buffer.from(answer.Payload).toString(), /exit status 3/);
    await eventually('the daemon\'s end', () => processesWith(mark).length === 0, 2000);
    const { functions } = await (await plain.fetch('/_gatehouse/health')).json();
    assert.deepEqual([functions.sandbox.mode, functions.sandbox.why], ['none', 'switched off with --no-sandbox']);
    assert.match(plain.log(), /FUNCTIONS RUN WITHOUT A SANDBOX/);
});

// ---- what survives ----

test('kill -9: functions, versions and accepted events are there again', async (t) => {
    const own = await start(t);
    const its = apiOf(own);
    const got = [];
    const target = createServer((request, response) => { got.push(request.url); response.end('ok'); }).listen(0, '127.0.0.1');
    await new Promise((resolve) => target.once('listening', resolve));
    t.after(() => target.close());
    const code = `import http from 'node:http';
        export const handler = (event, context) => new Promise((resolve) => http.get('http://127.0.0.1:${target.address().port}/' + event.n + '/' + context.awsRequestId, (r) => { r.resume(); r.on('end', resolve); }));`;
    await its.createFunction({ FunctionName: 'kept', Runtime: 'nodejs20.x', Handler: 'index.handler', Role, Code: { ZipFile: zip({ 'index.mjs': code }) }, Environment: { Variables: { SECRET: 'hush-hush-hush' } } });
    await its.putFunctionConcurrency({ FunctionName: 'kept', ReservedConcurrentExecutions: 0 });
    const accepted = await its.invoke({ FunctionName: 'kept', InvocationType: 'Event', Payload: '{"n":7}' });
    assert.deepEqual([accepted.StatusCode, accepted.Payload?.length ?? 0], [202, 0]);
    await own.restart('SIGKILL');
    const again = apiOf(own);
    assert.equal((await again.getFunctionConfiguration({ FunctionName: 'kept' })).State, 'Active');
    assert.deepEqual((await again.getFunctionConfiguration({ FunctionName: 'kept' })).Environment.Variables, { SECRET: 'hush-hush-hush' });
    assert.equal(got.length, 0);
    await again.deleteFunctionConcurrency({ FunctionName: 'kept' });
    await eventually('the event', () => got.length === 1, 15000);
    assert.equal(got[0], `/7/${accepted.$metadata.requestId}`);
    for (const file of fs.readdirSync(own.data).filter((name) => fs.statSync(path.join(own.data, name)).isFile()))
        assert.ok(!fs.readFileSync(path.join(own.data, file)).includes('hush-hush-hush'), `${file} holds a variable in clear`);
    fs.rmSync(path.join(own.data, 'functions/code'), { recursive: true });
    const orphan = path.join(own.data, 'functions/packages', `${'ab'.repeat(32)}.zip`);
    fs.writeFileSync(orphan, 'stored, but the row that names it was never committed');
    await own.restart('SIGKILL');
    const third = await apiOf(own).invoke({ FunctionName: 'kept', Payload: '{"n":8}' });
    assert.equal(third.FunctionError, undefined);
    await eventually('the orphan\'s removal', () => !fs.existsSync(orphan));
    assert.equal(fs.readdirSync(path.join(own.data, 'functions/packages')).length, 1);
});

test('a deleted function leaves no process, no package, no answer', async () => {
    const mark = `deleted-${process.pid}`;
    const name = await node(`export const handler = async () => '${mark}';`);
    assert.equal((await invoke(name)).value, mark);
    const { Configuration } = await api.getFunction({ FunctionName: name });
    const hex = Buffer.from(Configuration.CodeSha256, 'base64').toString('hex');
    assert.ok(fs.existsSync(path.join(server.data, 'functions/packages', `${hex}.zip`)));
    await api.deleteFunction({ FunctionName: name });
    await refused(invoke(name), 'ResourceNotFoundException');
    assert.ok(!fs.existsSync(path.join(server.data, 'functions/packages', `${hex}.zip`)));
    assert.ok(!fs.existsSync(path.join(server.data, 'functions/code', hex)));
});
