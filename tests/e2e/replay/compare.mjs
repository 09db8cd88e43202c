// Compares an answer with its recording. `bound` carries what the placeholders stand for in this test:
// <id:1> is bound on first sight and compared later; <code-size> and its like are anything of their kind.
const markup = new Set('html head body style h1 p pre type message gatewayResponse br div span'.split(' '));
const token = /<([A-Za-z][A-Za-z0-9_:-]*)>/g;
// The recorders wrote some values over with bare words.
const bare = /fake-api-id/g;
const anything = new Set(['date', 'datetime', 'timestamp', 'code-sha256', 'last-modified', 'x-amzn-trace-id']);

// What CloudFront adds to a request: a service that is not here.
const cloudfront = /^(CloudFront-.*|Via|X-Amz-Cf-Id)$/;

// The account of the recordings had services that act in their own roles: no such service is here, nobody used the role.
const usedByItsService = (name, recorded, came) =>
    name === 'RoleLastUsed' && /^\/aws-service-role\//.test(recorded.Path) && Object.keys(came.RoleLastUsed ?? { missing: true }).length === 0;

export class Comparison {
    constructor(account, region = 'us-east-1') {
        this.fixed = { partition: 'aws', region };
        this.account = account;
        this.bound = new Map();
    }

    // → list of differences, each "path: what was recorded, what came"; empty when all that was recorded came.
    differences(expected, actual, path = '') {
        const before = new Map(this.bound);
        const found = [];
        this.compare(expected, actual, path, found);
        if (found.length) this.bound = before;
        return found;
    }

    compare(expected, actual, path, found) {
        const miss = () => found.push(`${path || '(answer)'}: recorded ${show(expected)}, came ${show(actual)}`);
        if (expected === null) {
            if (actual !== null && actual !== undefined) miss();
        } else if (typeof expected === 'string') {
            if (!this.text(expected, actual)) miss();
        } else if (typeof expected !== 'object') {
            if (actual !== expected) miss();
        } else {
            const value = typeof actual === 'string' ? parsed(actual) : actual;
            if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(expected)) miss();
            else if (Array.isArray(expected)) this.list(expected, value, path, found);
            else this.members(expected, value, path, found);
        }
    }

    members(expected, actual, path, found) {
        // Whole placeholders first: they bind what longer strings of the same answer repeat.
        const entries = Object.entries(expected).sort((a, b) => rank(a[1]) - rank(b[1]));
        for (const [name, value] of entries) {
            if (usedByItsService(name, expected, actual)) continue;
            if (name === 'HTTPHeaders' || (cloudfront.test(name) && !(name in actual))) continue;
            const key = name in actual ? name : this.key(name, actual);
            if (value !== null && (key === undefined || actual[key] === undefined))
                found.push(`${path}.${name}: recorded ${show(value)}, missing`);
            else this.compare(value, actual[key], `${path}.${name}`, found);
        }
    }

    // A placeholder as a member's name ("<resource:1>": …): the member that it fits.
    key(name, actual) {
        if (!name.includes('<') && !name.includes('111111111111')) return undefined;
        return Object.keys(actual).find((candidate) => this.text(name, candidate));
    }

    list(expected, actual, path, found) {
        if (expected.length !== actual.length) {
            found.push(`${path}: recorded ${expected.length} elements, came ${actual.length}: ${show(actual)}`);
            return;
        }
        const before = new Map(this.bound);
        const inOrder = [];
        expected.forEach((one, i) => this.compare(one, actual[i], `${path}[${i}]`, inOrder));
        if (!inOrder.length) return;
        // "Lists that AWS returns unordered were often sorted by the test."
        this.bound = new Map(before);
        if (!this.pair(expected, [...actual], { tries: 5000 })) {
            this.bound = before;
            found.push(...inOrder);
        }
    }

    // Finds each recorded element its own partner; goes back when a placeholder was bound too early.
    pair([first, ...others], left, budget) {
        if (first === undefined) return true;
        for (let i = 0; i < left.length && budget.tries-- > 0; i++) {
            const before = new Map(this.bound);
            if (this.differences(first, left[i]).length === 0 && this.pair(others, left.filter((_, j) => j !== i), budget)) return true;
            this.bound = before;
        }
        return false;
    }

    text(expected, actual) {
        if (actual === null || actual === undefined) return false;
        if (anything.has(expected)) return actual !== '';
        if (typeof actual === 'object' && !(actual instanceof Date)) {
            // "<response-metadata>" and its like stand for whole objects.
            return /^<[^<>:]+>$/.test(expected) || (parsed(expected) !== undefined && this.differences(parsed(expected), actual).length === 0);
        }
        const text = actual instanceof Date ? actual.toISOString() : String(actual);
        if (typeof actual !== 'string' && !(actual instanceof Date) && !expected.includes('<')) return false;
        const names = [];
        let pattern = '', at = 0;
        const source = expected.replace(/<([a-z]):len\((\d+)\)>/g, (_, letter, n) => letter.repeat(Number(n)));
        for (const match of source.matchAll(token)) {
            const name = match[1];
            if (markup.has(name)) continue;
            pattern += this.literal(source.slice(at, match.index));
            at = match.index + match[0].length;
            if (name in this.fixed) pattern += quote(this.fixed[name]);
            else if (this.bound.has(name)) pattern += quote(this.bound.get(name));
            else if (names.includes(name)) pattern += `\\${names.indexOf(name) + 1}`;
            else if (/:\d+$/.test(name)) (pattern += '(.+?)'), names.push(name);
            else pattern += '[\\s\\S]*';
        }
        pattern += this.literal(source.slice(at));
        const hit = text.match(new RegExp(`^${pattern}$`, 's'));
        if (!hit) return false;
        names.forEach((name, i) => this.bound.set(name, hit[i + 1]));
        return true;
    }

    literal(text) {
        return quote(text.replaceAll('111111111111', this.account)).replace(bare, '[\\w-]+');
    }
}

const quote = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const rank = (value) => (typeof value === 'string' ? (/^<[^<>]*>$/.test(value) ? 0 : 1) : 2);

// A document inside a string: as it is, or percent-coded as IAM gives it.
function parsed(text) {
    for (const candidate of [() => text, () => decodeURIComponent(text)]) {
        try {
            const value = JSON.parse(candidate());
            if (typeof value === 'object') return value;
        } catch {
            continue;
        }
    }
    return undefined;
}

function show(value) {
    const text = value === undefined ? 'nothing' : JSON.stringify(value);
    return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
