// Says what it was asked: any method under /echo/ (payload format 2.0).
export const handler = async (event) => {
  const { method, path } = event.requestContext.http;
  console.log("%s %s", method, path);
  return {
    statusCode: 200,
    headers: { "Content-Type": "application/json" },
    cookies: ["seen=yes; HttpOnly"],
    body: JSON.stringify({
      method,
      proxy: event.pathParameters.proxy,
      query: event.queryStringParameters ?? {},
      body: event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body ?? null,
    }),
  };
};
