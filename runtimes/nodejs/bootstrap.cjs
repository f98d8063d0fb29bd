'use strict';
// The managed Node.js runtime: loads the handler, then serves events until the platform is done.
//
// While the user's code runs, nothing of ours keeps the event loop alive, so that "beforeExit"
// tells when a callback handler's loop is empty, and when a promise can never settle any more.

const { Connection } = require('./wire.cjs');
const errors = () => require('./errors.cjs'); // only when there is one: it delays a cold start
const log = require('./console.cjs');
const userFunction = require('./function.cjs');

const EXIT_REJECTION = 128;
const EXIT_EXCEPTION = 129;
const EXIT_UNSETTLED = 13; // Node's own status for a promise that never settles
const UNSETTLED =
  'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise ' +
  'that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';

const environment = {
  functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
};

function hasCallbacks() {
  const runtime = /^AWS_Lambda_nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV || '');
  return runtime === null || Number(runtime[1]) < 24;
}

function parseHeader(headers, name, title) {
  if (headers[name] === undefined) return undefined;
  try {
    return JSON.parse(headers[name]);
  } catch (error) {
    throw new Error(`Cannot parse ${title} as json: ${error}`);
  }
}

function headerData(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    clientContext: parseHeader(headers, 'lambda-runtime-client-context', 'ClientContext'),
    identity: parseHeader(headers, 'lambda-runtime-cognito-identity', 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// One event on its way through the handler.
class Invocation {
  constructor(runtime, requestId) {
    this.runtime = runtime;
    this.requestId = requestId;
    this.isFinished = false; // the handler has said how it ends; what it says later is ignored
    this.isAsync = false; // the handler returned a promise
    this.waitsForEmptyLoop = true;
    this.heldResult = null; // {result} of a callback that waits for the empty loop
    this.answer = null; // {path, body, errorType} once known
  }

  once(action) {
    return (...args) => {
      if (this.isFinished) return;
      this.isFinished = true;
      action(...args);
    };
  }

  callbacks() {
    const done = (error, result) => this.settle(error, result);
    const callback = (error, result) => {
      if (this.waitsForEmptyLoop && (error === undefined || error === null)) this.heldResult = { result };
      else this.settle(error, result);
    };
    const invocation = this;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return invocation.waitsForEmptyLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        invocation.waitsForEmptyLoop = value;
      },
      succeed: this.once((result) => done(null, result)),
      fail: this.once((error) => done(error === undefined || error === null ? 'handled' : error)),
      done: this.once(done),
    };
    return { context, callback: this.once(callback) };
  }

  settle(error, result) {
    this.isFinished = true;
    if (error !== undefined && error !== null) {
      this.fail(error);
      return;
    }
    let body;
    try {
      body = JSON.stringify(result);
    } catch {
      this.fail(new Error('Unable to stringify response body'));
      return;
    }
    this.respond('response', body === undefined ? 'null' : body);
  }

  fail(error) {
    log.logError('Invoke Error', error);
    const body = errors().toBody(error);
    this.respond('error', JSON.stringify(body), body.errorType);
  }

  respond(outcome, body, errorType) {
    this.answer = { path: `invocation/${this.requestId}/${outcome}`, body, errorType };
    this.runtime.finish(this);
  }

  // The event loop is empty and the handler has not finished.
  onLoopEmpty() {
    if (this.heldResult !== null) this.settle(null, this.heldResult.result);
    else if (this.isAsync) this.runtime.die('Invoke Error', errors().create('NodeJsExit', UNSETTLED), EXIT_UNSETTLED);
    else this.settle(null, null);
  }
}

class Runtime {
  constructor() {
    this.hasCallbacks = hasCallbacks();
    this.invocation = null;
    this.isInitialised = false;
    this.isDying = false;
    this.connection = new Connection(
      (headers, body) => this.onEvent(headers, body),
      (reason) => this.onLost(reason)
    );
    process.on('uncaughtException', (error) => this.die('Uncaught Exception', error, EXIT_EXCEPTION));
    process.on('unhandledRejection', (reason, promise) => {
      const error = errors().create('UnhandledPromiseRejection', reason);
      error.reason = reason;
      error.promise = promise;
      this.die('Unhandled Promise Rejection', error, EXIT_REJECTION);
    });
    process.on('beforeExit', () => this.onLoopEmpty());
  }

  async start() {
    try {
      const root = process.env.LAMBDA_TASK_ROOT || process.cwd();
      this.handler = await userFunction.load(root, process.env._HANDLER || '', this.hasCallbacks);
    } catch (error) {
      this.die('Uncaught Exception', error, EXIT_EXCEPTION);
      return;
    }
    if (this.isDying) return;
    this.isInitialised = true;
    setImmediate(() => this.connection.next()); // a rejection nobody handles comes first
  }

  onEvent(headers, body) {
    const invocation = new Invocation(this, headers['lambda-runtime-aws-request-id']);
    this.invocation = invocation;
    log.setRequest(invocation.requestId, headers['lambda-runtime-aws-tenant-id']);
    const traceId = headers['lambda-runtime-trace-id'];
    if (traceId !== undefined) process.env._X_AMZN_TRACE_ID = traceId;
    else delete process.env._X_AMZN_TRACE_ID;
    try {
      if (this.hasCallbacks) this.callWithCallback(invocation, headers, body);
      else this.callAsync(invocation, headers, body);
    } catch (error) {
      if (!invocation.isFinished) invocation.settle(error === undefined || error === null ? 'handled' : error);
    }
  }

  callWithCallback(invocation, headers, body) {
    const { context, callback } = invocation.callbacks();
    const event = JSON.parse(body);
    Object.assign(context, environment, headerData(headers));
    const result = this.handler(event, context, callback);
    if (result && typeof result.then === 'function') {
      invocation.isAsync = true;
      result.then(context.succeed, context.fail);
    }
  }

  callAsync(invocation, headers, body) {
    const context = { ...headerData(headers), xRayTraceId: headers['lambda-runtime-trace-id'], ...environment };
    const result = this.handler(JSON.parse(body), context);
    invocation.isAsync = true;
    Promise.resolve(result).then(
      (value) => invocation.settle(null, value),
      (error) => invocation.settle(error === undefined || error === null ? String(error) : error)
    );
  }

  finish(invocation) {
    if (this.isDying) return;
    // In the next phase of the loop, so that a rejection nobody handles comes before the next event is asked for.
    setImmediate(() => {
      if (this.isDying) return;
      this.invocation = null;
      const { path, body, errorType } = invocation.answer;
      this.connection.post(path, body, errorType, null);
    });
  }

  onLoopEmpty() {
    if (this.isDying) return;
    if (!this.isInitialised) this.die('Uncaught Exception', errors().create('NodeJsExit', UNSETTLED), EXIT_UNSETTLED);
    else if (this.invocation !== null && this.invocation.answer === null) this.invocation.onLoopEmpty();
  }

  // Reports error to whoever waits for an answer, if anyone does, and exits.
  die(title, error, status) {
    if (this.isDying) return;
    this.isDying = true;
    try {
      this.reportAndExit(title, error, status);
    } catch {
      process.exit(status); // no descriptor is left to load what words an error, say
    }
  }

  reportAndExit(title, error, status) {
    log.logError(title, error);
    const body = errors().toBody(error);
    let answer = { path: 'init/error', body: JSON.stringify(body), errorType: body.errorType };
    if (this.isInitialised) {
      if (this.invocation === null) process.exit(status);
      answer = this.invocation.answer || { ...answer, path: `invocation/${this.invocation.requestId}/error` };
    }
    this.connection.post(answer.path, answer.body, answer.errorType, () => process.exit(status));
  }

  onLost(reason) {
    if (reason === '') process.exit(0);
    process.stderr.write(`headgate: node runtime: ${reason}\n`);
    process.exit(1);
  }
}

delete process.env.HEADGATE_OPT_DIR; // layers are in NODE_PATH already
log.patch();
userFunction.defineGlobals();
new Runtime().start();
