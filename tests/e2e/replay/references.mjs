// {{1.Role.Arn}}, {{2.items[0].id}}, {{1.id.upper()}}, {{3.json()}}, {{…[:-1]}}: values out of earlier answers,
// and {{helper:…}}, {{fixture:…}}: what the recorded test made itself.
const whole = /^\{\{((?:(?!\}\}).)*)\}\}$/s;
const any = /\{\{((?:(?!\}\}).)*)\}\}/gs;

export async function resolve(value, source) {
    if (typeof value === 'string') {
        const alone = value.match(whole);
        if (alone) return source(alone[1]);
        const pieces = [];
        let at = 0;
        for (const match of value.matchAll(any)) {
            pieces.push(value.slice(at, match.index), String(await source(match[1])));
            at = match.index + match[0].length;
        }
        return pieces.join('') + value.slice(at);
    }
    if (Array.isArray(value)) return Promise.all(value.map((one) => resolve(one, source)));
    if (value === null || typeof value !== 'object') return value;
    const out = {};
    for (const [name, member] of Object.entries(value)) out[await resolve(name, source)] = await resolve(member, source);
    return out;
}

const step = /^(?:\.([A-Za-z_][\w]*)\(([^)]*)\)|\.([\w$-]+)|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\])/;

// "Role.Arn", "items[0].id", "id.upper()" of a value; the whole value when path is empty.
export function follow(value, path) {
    let rest = path && !/^[.[]/.test(path) ? `.${path}` : path;
    while (rest) {
        const hit = rest.match(step);
        if (!hit) throw new Error(`reference not understood: ${path}`);
        rest = rest.slice(hit[0].length);
        const [, method, argument, name, index, from, to] = hit;
        if (value === undefined || value === null) throw new Error(`nothing at ${path}`);
        if (method) value = call(value, method, argument);
        else if (name !== undefined) value = member(value, name);
        else if (index !== undefined) value = value.at(Number(index));
        else value = value.slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to));
    }
    return value;
}

function member(value, name) {
    if (name in value) return value[name];
    const folded = Object.keys(value).find((key) => key.toLowerCase() === name.toLowerCase());
    return folded === undefined ? undefined : value[folded];
}

function call(value, method, argument) {
    if (method === 'upper') return value.toUpperCase();
    if (method === 'lower') return value.toLowerCase();
    if (method === 'split') return value.split(argument.slice(1, -1));
    if (method === 'json') return value.json();
    throw new Error(`reference uses ${method}()`);
}
