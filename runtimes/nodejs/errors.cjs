'use strict';
// The runtime's own error classes, and errors as the caller and the log see them.

const DELETE = /\x7f/g; // not allowed in the headers that error texts have to travel in

const types = {};
for (const name of [
  'ImportModuleError',
  'HandlerNotFound',
  'MalformedHandlerName',
  'UserCodeSyntaxError',
  'MalformedStreamingHandler',
  'InvalidStreamingOperation',
  'CallbackHandlerDeprecated',
  'UnhandledPromiseRejection',
  'NodeJsExit',
]) {
  types[name] = { [name]: class extends Error {} }[name];
  types[name].prototype.name = `Runtime.${name}`;
}

// An error of the runtime itself; its type is "Runtime." and the name.
function create(name, message) {
  return new types[name](message);
}

function isError(value) {
  return (
    value instanceof Error ||
    (value !== null &&
      typeof value === 'object' &&
      [value.name, value.message, value.stack].every((text) => typeof text === 'string' && text !== ''))
  );
}

function toError(value) {
  return value instanceof Error ? value : new Error(value);
}

// The body of an /error POST. Getters and toString of the thrown value are the user's code and may throw.
function toBody(value) {
  try {
    if (isError(value)) {
      return {
        errorType: value.name === undefined ? undefined : value.name.replace(DELETE, '%7F'),
        errorMessage: value.message === undefined ? undefined : value.message.replace(DELETE, '%7F'),
        trace: value.stack.replace(DELETE, '%7F').split('\n'),
      };
    }
    return { errorType: typeof value, errorMessage: value.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

function withOwnProperties(_key, value) {
  if (!(value instanceof Error)) return value;
  const shown = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === 'string') shown.stack = value.stack.split('\n');
  return shown;
}

// The JSON after "Invoke Error" in a text log.
function toLogText(error) {
  try {
    return '\t' + JSON.stringify(error, withOwnProperties);
  } catch {
    return '\t' + JSON.stringify(toBody(error));
  }
}

module.exports = { create, toBody, toError, toLogText };
