// Data folders that begin with signing keys in stock. Making one costs half a second and more of a sanitized server, and
// nearly every test makes a user pool: so the first test that starts a server makes a folder, and each begins with a copy.
import fs from 'node:fs';
import path from 'node:path';
import { signed } from './sign.mjs';

const PAIRS = 2;

function copy(from, to) {
    fs.mkdirSync(to, { mode: 0o700 });
    for (const name of fs.readdirSync(from)) {
        const file = path.join(from, name);
        if (fs.statSync(file).isFile()) fs.copyFileSync(file, path.join(to, name));
    }
}

async function call(server, operation, input) {
    const answer = await signed(`${server.url}/`, { accessKeyId: 'test', secretAccessKey: 'test' }, {
        service: 'cognito-idp', method: 'POST', body: JSON.stringify(input),
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
    });
    return JSON.parse((await answer.text()) || '{}');
}

// A server keeps more than one pair as soon as somebody has made a pool.
async function stockUp(making, launch) {
    const server = await launch(making);
    const { UserPool } = await call(server, 'CreateUserPool', { PoolName: 'first' });
    await call(server, 'DeleteUserPool', { UserPoolId: UserPool.Id });
    for (let n = 0; n < 2 * PAIRS; ) {
        const answer = await server.fetch('/_gatehouse/metrics');
        n = Number(/^gatehouse_signing_keys_in_stock (\d+)/m.exec(await answer.text())[1]);
        if (n < 2 * PAIRS) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await server.stop();
    fs.rmSync(server.logFile);
}

// The folder of this very binary: another build may have other tables.
export async function stockedFolder(folder, binary, launch) {
    const { mtimeMs, size } = fs.statSync(binary);
    const stock = path.join(path.dirname(binary), `stocked-${Math.floor(mtimeMs)}-${size}`);
    if (!fs.existsSync(stock)) {
        const making = `${stock}.${process.pid}`; // two that begin at once both make one, and one of them stays
        await stockUp(making, launch);
        try {
            fs.renameSync(making, stock);
        } catch {
            fs.rmSync(making, { recursive: true });
        }
    }
    copy(stock, folder);
}
