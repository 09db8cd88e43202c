// A proxy function: gets the request, answers with a response.
export const handler = async (event) => {
    if (event.crash) process.exit(1);
    if (event.path?.endsWith('/crash')) throw new Error('as asked');
    return {
        statusCode: 200,
        headers: { 'X-Function': process.env.AWS_LAMBDA_FUNCTION_NAME },
        body: JSON.stringify({ hello: event.queryStringParameters?.name ?? 'world', user: event.requestContext?.authorizer?.claims?.email }),
    };
};
