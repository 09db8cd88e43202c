// The Node.js side of the Runtime API: loads the handler, asks for events, answers them.
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const { env, stdout } = process;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const root = env.LAMBDA_TASK_ROOT ?? '/var/task';
let requestId = ''; // of the invocation that runs
let current = null; // { finish, settled, promised, waits }

// --- the Runtime API ---

function call(method, suffix, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? null : Buffer.from(body);
    if (bytes) headers = { ...headers, 'Content-Type': 'application/json', 'Content-Length': bytes.length };
    const request = http.request({ host, port, method, path: `/2018-06-01/runtime/${suffix}`, agent, headers }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(pieces).toString() }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

const postError = (suffix, error) => {
  const shown = describe(error);
  return call('POST', suffix, JSON.stringify(shown), { 'Lambda-Runtime-Function-Error-Type': encodeURIComponent(shown.errorType) });
};

// --- what is printed ---

function line(level, text) {
  stdout.write(`${new Date().toISOString()}\t${requestId || 'undefined'}\t${level}\t${text}\n`);
}

for (const [name, level] of [['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['warn', 'WARN'], ['error', 'ERROR'], ['trace', 'TRACE']])
  console[name] = (...args) => line(level, util.format(...args));

// --- errors as Lambda shows them ---

class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function describe(error) {
  if (!(error instanceof Error) && !util.types.isNativeError(error)) {
    const text = typeof error === 'string' ? error : safeJson(error);
    return { errorType: typeof error, errorMessage: text, trace: [] };
  }
  return {
    errorType: error.name || error.constructor?.name || 'Error',
    errorMessage: String(error.message),
    trace: String(error.stack ?? '').split('\n'),
  };
}

function safeJson(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

function logError(title, error) {
  const shown = describe(error);
  line('ERROR', `${title}\t${safeJson({ ...(error instanceof Error ? error : {}), errorType: shown.errorType, errorMessage: shown.errorMessage, stack: shown.trace })}`);
}

// --- streamed answers ---

// A handler that streams is marked: awslambda.streamifyResponse(async (event, responseStream, context) => {…}).
const streams = Symbol.for('aws.lambda.runtime.handler.streaming');

// What the handler writes is the body of a chunked POST …/response, begun with the first write.
class ResponseStream extends Writable {
  #request = null;
  #type = 'application/octet-stream';
  #prelude = null;
  #answered;

  get opened() {
    return this.#request !== null;
  }
  setContentType(type) {
    this.#type = type;
  }
  // HttpResponseStream's: status and headers as JSON, eight NUL bytes, then what is written.
  setPrelude(metadata) {
    this.setContentType('application/vnd.awslambda.http-integration-response');
    this.#prelude = Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]);
  }
  write(chunk, ...more) {
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(plain || chunk === null ? chunk : JSON.stringify(chunk), ...more);
  }
  #open() {
    if (this.#request) return;
    const headers = { 'Content-Type': this.#type, 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked' };
    this.#request = http.request({ host, port, method: 'POST', path: `/2018-06-01/runtime/invocation/${requestId}/response`, agent, headers });
    this.#request.on('error', (error) => this.destroy(error));
    this.#answered = new Promise((resolve) => {
      this.#request.on('response', (answer) => answer.resume().on('end', resolve));
      this.#request.on('close', resolve);
    });
    if (this.#prelude) this.#request.write(this.#prelude);
  }
  _write(chunk, encoding, done) {
    this.#open();
    this.#request.write(chunk, encoding, done);
  }
  _final(done) {
    this.#open();
    this.#request.end();
    this.#answered.then(() => done(), done);
  }
  // Too late for another answer: the trailers say that this one is not whole.
  async fail(error) {
    const shown = describe(error);
    const body = Buffer.from(JSON.stringify(shown)).toString('base64').slice(0, 4096);
    this.#request.addTrailers({
      'Lambda-Runtime-Function-Error-Type': encodeURIComponent(shown.errorType).slice(0, 100),
      'Lambda-Runtime-Function-Error-Body': body,
    });
    this.#request.end();
    await this.#answered;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[streams] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    from(stream, metadata) {
      stream.setPrelude(metadata);
      return stream;
    },
  },
};

// Settles when the handler has, and its answer is out.
async function runStream(handler, event, headers) {
  const stream = new ResponseStream();
  const waiting = { settled: null, promised: true, stream };
  const finished = new Promise((resolve, reject) => {
    waiting.resolve = ({ error }) => reject(error);
    stream.on('finish', resolve).on('error', reject);
  });
  finished.catch(() => {});
  current = waiting;
  try {
    const result = handler(event, stream, contextOf(headers, () => {}));
    if (typeof result?.then !== 'function') throw new Error('Streaming does not support non-async handlers.');
    await Promise.race([result, finished.then(() => result)]);
    await finished;
    return {};
  } catch (error) {
    return { error: error ?? new Error('undefined') };
  }
}

const postFailure = (error) =>
  current?.stream?.opened ? current.stream.fail(error) : postError(`invocation/${requestId}/error`, error);

// --- the handler ---

async function loadHandler(name) {
  const folder = path.dirname(name);
  const parts = /^([^.]*)\.(.+)$/.exec(path.basename(name));
  if (!parts || name.includes('..')) throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
  const module = await loadModule(path.resolve(root, folder, parts[1]), path.join(folder, parts[1]));
  let found = module;
  for (const step of parts[2].split('.')) found = found?.[step] ?? (found === module ? module.default?.[step] : undefined);
  if (found === undefined) throw new RuntimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeError('Runtime.HandlerNotFound', `${name} is not a function`);
  return found;
}

async function loadModule(base, shown) {
  const file = ['', '.js', '.mjs', '.cjs'].map((end) => base + end).find((one) => fs.statSync(one, { throwIfNoEntry: false })?.isFile());
  try {
    if (!file) throw Object.assign(new Error(`Cannot find module '${shown}'\nRequire stack:\n- /var/runtime/index.mjs`), { code: 'MODULE_NOT_FOUND' });
    if (file.endsWith('.mjs') || (!file.endsWith('.cjs') && isModulePackage(file))) return await import(pathToFileURL(file));
    return createRequire(import.meta.url)(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('Runtime.UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND')
      throw new RuntimeError('Runtime.ImportModuleError', String(error));
    throw error;
  }
}

function isModulePackage(file) {
  for (let at = path.dirname(file); ; at = path.dirname(at)) {
    const text = fs.existsSync(path.join(at, 'package.json')) && fs.readFileSync(path.join(at, 'package.json'), 'utf8');
    if (text) return JSON.parse(text).type === 'module';
    if (at === root || at === path.dirname(at)) return false;
  }
}

function contextOf(headers, finish) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const optional = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: optional('lambda-runtime-client-context'),
    identity: optional('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, value) => finish(error, value, true),
    succeed: (value) => finish(null, value, true),
    fail: (error) => finish(error ?? 'handled', undefined, true),
  };
}

// Runs one event to its end. With a callback the answer waits for an empty event loop, unless
// the context says otherwise; a promise answers when it settles.
function run(handler, event, headers) {
  return new Promise((resolve) => {
    const state = { settled: null, promised: false, resolve };
    const settle = (error, value, now) => {
      if (state.settled) return;
      state.settled = { error, value };
      if (now || !context.callbackWaitsForEmptyEventLoop) resolve(state.settled);
    };
    const context = contextOf(headers, settle);
    current = state;
    try {
      const result = handler(event, context, (error, value) => settle(error, value, false));
      if (typeof result?.then === 'function') {
        state.promised = true;
        result.then((value) => settle(null, value, true), (error) => settle(error ?? new Error('undefined'), undefined, true));
      }
    } catch (error) {
      settle(error ?? new Error('undefined'), undefined, true);
    }
  });
}

const unsettled = 'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled.';
process.on('beforeExit', () => {
  if (!current) return;
  const { settled, promised, resolve, stream } = current;
  if (!stream) current = null;
  resolve(settled ?? (promised ? { error: new RuntimeError('Runtime.NodeJsExit', unsettled) } : { error: null, value: null }));
});

async function die(title, error) {
  logError(title, error);
  try {
    await (requestId ? postFailure(error) : postError('init/error', error));
  } finally {
    process.exit(requestId ? 129 : 1);
  }
}
process.on('uncaughtException', (error) => die('Uncaught Exception', error));
process.on('unhandledRejection', (reason) =>
  die('Unhandled Promise Rejection', new RuntimeError('Runtime.UnhandledPromiseRejection', reason instanceof Error ? String(reason) : safeJson(reason))));

async function main() {
  let handler;
  try {
    handler = await loadHandler(env._HANDLER ?? '');
  } catch (error) {
    await die('Uncaught Exception', error);
  }
  for (;;) {
    const next = await call('GET', 'invocation/next');
    if (next.status !== 200) process.exit(1);
    requestId = next.headers['lambda-runtime-aws-request-id'];
    env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] ?? '';
    const streaming = handler[streams] === 'response';
    let outcome, body;
    try {
      outcome = await (streaming ? runStream : run)(handler, JSON.parse(next.text), next.headers);
      if (!streaming) body = JSON.stringify(outcome.value === undefined ? null : outcome.value) ?? 'null';
    } catch (error) {
      outcome = { error };
    }
    if (outcome.error !== null && outcome.error !== undefined) {
      logError('Invoke Error ', outcome.error);
      await postFailure(outcome.error);
    } else if (!streaming) {
      await call('POST', `invocation/${requestId}/response`, body);
    }
    current = null;
  }
}
await main();
