'use strict';
// console.* as functions see it: time, request id and level before each message, or one JSON object per line.

const format = (...params) => require('util').format(...params);
const errors = () => require('./errors.cjs');

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId'); // read by instrumentation libraries
const TENANT_ID = Symbol.for('aws.lambda.runtime.tenantId');

const isJson = (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';
const lowest = Math.max(0, LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || '').toUpperCase()));

function typeOf(error) {
  return (error.constructor && error.constructor.name) || 'UnknownError';
}

function describeErrors(_key, value) {
  if (!(value instanceof Error)) return value;
  const stackTrace = typeof value.stack === 'string' ? value.stack.split('\n') : value.stack;
  return { errorType: typeOf(value), errorMessage: value.message, stackTrace, ...value };
}

function toText(level, params) {
  return `${new Date().toISOString()}\t${globalThis[REQUEST_ID]}\t${level}\t${format(...params)}`;
}

function toJson(level, params) {
  const line = { timestamp: new Date().toISOString(), level, requestId: globalThis[REQUEST_ID] };
  if (globalThis[TENANT_ID] !== undefined) line.tenantId = globalThis[TENANT_ID];
  if (params.length === 1) {
    line.message = params[0];
    try {
      return JSON.stringify(line, describeErrors);
    } catch {
      line.message = format(params[0]); // a cycle or a BigInt
      return JSON.stringify(line);
    }
  }
  line.message = format(...params);
  const error = params.find((param) => param instanceof Error);
  if (error !== undefined) {
    line.errorType = typeOf(error);
    line.errorMessage = error.message;
    line.stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  }
  return JSON.stringify(line);
}

function write(level, params) {
  const line = isJson ? toJson(level, params) : toText(level, params);
  process.stdout.write(line.replace(/\n/g, '\r') + '\n');
}

function patch() {
  LEVELS.forEach((level, i) => {
    console[level.toLowerCase()] = i >= lowest ? (message, ...params) => write(level, [message, ...params]) : () => {};
  });
  console.log = console.info;
}

function logError(title, value) {
  const error = errors().toError(value);
  if (isJson) console.error(error);
  else console.error(title, errors().toLogText(error));
}

function setRequest(requestId, tenantId) {
  globalThis[REQUEST_ID] = requestId;
  globalThis[TENANT_ID] = tenantId;
}

module.exports = { patch, logError, setRequest };
