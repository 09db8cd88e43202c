// The recordings of real AWS, played against the binary: what passed once must pass again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { start } from '../support/harness.mjs';
import { closeConnections } from './client.mjs';
import { Comparison } from './compare.mjs';
import { passing, playAll } from './run.mjs';

test('a comparison sees what differs', () => {
    const rows = [
        ['equal', { a: 1 }, { a: 1 }, true],
        ['more members than recorded', { a: 1 }, { a: 1, b: 2 }, true],
        ['a member missing', { a: 1, b: 2 }, { a: 1 }, false],
        ['another value', { a: 'x' }, { a: 'y' }, false],
        ['a number is no text', { a: 1 }, { a: '1' }, false],
        ['text is no number', { a: '1' }, { a: 1 }, false],
        ['a placeholder means one value', { a: '<id:1>', b: 'arn/<id:1>' }, { a: 'q', b: 'arn/q' }, true],
        ['and no other', { a: '<id:1>', b: 'arn/<id:1>' }, { a: 'q', b: 'arn/r' }, false],
        ['account and region are ours', { a: 'arn:<partition>:x:<region>:111111111111:y' }, { a: 'arn:aws:x:us-east-1:222222222222:y' }, true],
        ['a list in another order', { a: ['<id:1>', 'b'] }, { a: ['b', 'a'] }, true],
        ['a list too long', { a: ['b'] }, { a: ['b', 'a'] }, false],
        ['a document in a string', { a: { b: 1 } }, { a: '%7B%22b%22%3A1%7D' }, true],
        ['repeated letters', { a: '<a:len(3)>!' }, { a: 'aaa!' }, true],
        ['markup is no placeholder', { a: '<p>x</p>' }, { a: '<q>x</p>' }, false],
        ['false is not absent', { a: false }, {}, false],
    ];
    for (const [name, expected, actual, same] of rows) {
        assert.equal(new Comparison('222222222222').differences(expected, actual).length === 0, same, name);
    }
});

test('every recorded test that passed before passes', { timeout: 170000 }, async (t) => {
    const server = await start(t, { args: ['--limits', 'aws'] });
    const listed = passing();
    assert.ok(listed.size > 0, 'passing.txt names tests');
    const results = await playAll(server.url);
    closeConnections();
    const lost = [...listed].filter((name) => results.get(name)?.verdict !== 'pass');
    const won = [...results].filter(([name, { verdict }]) => verdict === 'pass' && !listed.has(name));
    if (won.length) t.diagnostic(`${won.length} more pass than passing.txt names: ./dev replay --update`);
    t.diagnostic(`${[...results.values()].filter((r) => r.verdict === 'pass').length} of ${results.size} recorded tests pass`);
    assert.deepEqual(lost.map((name) => `${name}: ${results.get(name)?.why.slice(0, 3).join(' | ') ?? 'no such test'}`), []);
});
