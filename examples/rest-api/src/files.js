// Anything under /files/, with a callback handler: shows the parts of a REST API event (payload format 1.0).
exports.handler = (event, context, callback) => {
  callback(null, {
    statusCode: 200,
    multiValueHeaders: { "Content-Type": ["application/json"], "Set-Cookie": ["a=1", "b=2"] },
    body: JSON.stringify({
      method: event.httpMethod,
      proxy: event.pathParameters.proxy,
      query: event.multiValueQueryStringParameters,
      place: event.stageVariables.place,
    }),
  });
};
