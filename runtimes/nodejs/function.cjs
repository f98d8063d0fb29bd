'use strict';
// Finds the user's handler: CommonJS or ES module, nested folders, nested exports.

const fs = require('fs');
const path = require('path');
const errors = () => require('./errors.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const NO_STREAMING = 'Response streaming is not available yet; return the response from a buffered handler instead.';

function defineGlobals() {
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = {
    streamifyResponse: (handler) => {
      handler[STREAMING] = 'response';
      return handler;
    },
    HttpResponseStream: class HttpResponseStream {
      static from() {
        throw errors().create('InvalidStreamingOperation', NO_STREAMING);
      }
    },
  };
}

// Whether the nearest package.json above a folder says that its .js files are ES modules.
function isModuleFolder(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    if (at.endsWith('/node_modules')) return false;
    const file = path.join(at, 'package.json');
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (at === '/') return false;
  }
}

function importFile(file) {
  return import(require('url').pathToFileURL(file).href);
}

async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  if (fs.existsSync(file) && !fs.statSync(file).isDirectory()) return require(file);
  if (fs.existsSync(file + '.js')) {
    return isModuleFolder(path.dirname(file)) ? importFile(file + '.js') : require(file + '.js');
  }
  if (fs.existsSync(file + '.mjs')) return importFile(file + '.mjs');
  if (fs.existsSync(file + '.cjs')) return require(file + '.cjs');
  return require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
}

function explain(error) {
  if (error instanceof SyntaxError) {
    const shown = errors().create('UserCodeSyntaxError', String(error));
    shown.stack = `Runtime.UserCodeSyntaxError: ${error}\n${error.stack}`; // the original names the file and line
    return shown;
  }
  if (error !== null && typeof error === 'object' && error.code === 'MODULE_NOT_FOUND') {
    return errors().create('ImportModuleError', String(error));
  }
  return error;
}

function findExport(exported, name) {
  return name.split('.').reduce((nested, key) => nested && nested[key], exported);
}

// handlerName is "folder/module.export", with any number of folders and nested exports. Without
// callbacks (nodejs24 and later), handlers that take one are refused and default exports searched.
async function load(root, handlerName, hasCallbacks) {
  if (handlerName.includes('..')) {
    throw errors().create(
      'MalformedHandlerName',
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`
    );
  }
  const base = path.basename(handlerName);
  const folder = handlerName.slice(0, handlerName.indexOf(base));
  const dot = base.indexOf('.');
  if (dot < 0) throw errors().create('MalformedHandlerName', 'Bad handler');

  let exported;
  try {
    exported = await loadModule(root, folder, base.slice(0, dot));
  } catch (error) {
    throw explain(error);
  }
  let handler = findExport(exported, base.slice(dot + 1));
  if (!handler && !hasCallbacks && exported.default) handler = findExport(exported.default, base.slice(dot + 1));
  if (!handler) throw errors().create('HandlerNotFound', `${handlerName} is undefined or not exported`);
  if (typeof handler !== 'function') throw errors().create('HandlerNotFound', `${handlerName} is not a function`);
  return check(handler, hasCallbacks);
}

function check(handler, hasCallbacks) {
  const mode = handler[STREAMING];
  if (mode) {
    if (mode !== 'response') throw errors().create('MalformedStreamingHandler', 'Only response streaming is supported.');
    return async () => {
      throw errors().create('InvalidStreamingOperation', NO_STREAMING);
    };
  }
  if (!hasCallbacks && handler.length >= 3) {
    throw errors().create(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.'
    );
  }
  return handler;
}

module.exports = { defineGlobals, load };
