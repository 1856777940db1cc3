import assert from 'node:assert/strict'
import { test } from 'node:test'

import { refusal, toldError, unreachable } from '../src/faults.js'

test("the service's errors keep their sentence and their type", () => {
    const rows: [string, string, string][] = [
        ['generic error: \n + ConnectorError: Allow sso:ListInstances.', 'generic', 'Allow sso:ListInstances.'],
        ['notFound error: \n + ConnectorError: no user u-1', 'notFound', 'no user u-1'],
        // As SailPoint's own runtime writes them, with its stack.
        ["generic error: \n + Error: boom\n    at file.js:1:2 {\n  type: 'generic'\n}", 'generic', 'boom'],
        ["generic error: \n + 'a string'", 'generic', "'a string'"],
        ['generic error: \r\n + ConnectorError: by a proxy', 'generic', 'by a proxy'],
        ['generic error: \n + ConnectorError: ', 'generic', 'The connector service failed and did not say why.'],
        ['timeout error: \n + ConnectorError: a type of later days', 'generic', 'a type of later days'],
    ]
    for (const [text, type, sentence] of rows) {
        const error = toldError(text)
        assert.equal(error?.type, type, text)
        assert.equal(error?.message, sentence)
    }
})

test('other texts tell no error', () => {
    for (const text of ['', '<html>notFound error: \n + x</html>', 'notFound', 'generic error:', '{"data":{']) {
        assert.equal(toldError(text), undefined, text)
    }
})

test('only a 500 with the words of the service is notFound', () => {
    const text = 'notFound error: \n + ConnectorError: no user u-1'
    assert.equal(refusal('h', 500, 'application/x-ndjson', text).type, 'notFound')
    for (const status of [400, 401, 403, 404, 410, 429, 502, 503]) {
        assert.equal(refusal('h', status, 'text/plain', text).type, 'generic')
    }
})

test('a refusal names host, status and what to look at', () => {
    assert.equal(
        refusal('c.example.com', 401, 'text/plain; charset=utf-8', 'The token is not known here.').message,
        "c.example.com answered 401: The token is not known here. Check connectorToken in the source's configuration.",
    )
    assert.equal(refusal('h', 500, 'text/html', '<html>secret of the house</html>').message, 'h answered 500.')
    assert.match(refusal('h', 302, 'text/html', '').message, /^h answered 302\. Redirects are not followed/)
    assert.match(refusal('h', 502, 'text/html', '<html>').message, /^h answered 502\. The proxy/)
    assert.ok(refusal('h', 400, 'text/plain', 'x'.repeat(9999)).message.length < 400)
})

test('a failed connection is told by what to do about it', () => {
    const rows: [string, RegExp][] = [
        ['ENOTFOUND', /^c\.example\.com cannot be found/],
        ['ECONNREFUSED', /^c\.example\.com refuses connections/],
        ['EHOSTUNREACH', /^c\.example\.com cannot be reached \(EHOSTUNREACH\)/],
        ['ECONNRESET', /^c\.example\.com closed the connection before it answered/],
        ['DEPTH_ZERO_SELF_SIGNED_CERT', /certificate of c\.example\.com is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/],
        ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate of c\.example\.com is not trusted/],
        ['EWHATEVER', /^The connection to c\.example\.com failed \(EWHATEVER\)\.$/],
    ]
    for (const [code, sentence] of rows) {
        assert.match(unreachable('c.example.com', Object.assign(new Error('Bearer abc'), { code })).message, sentence)
    }
    assert.equal(unreachable('h', new Error('Bearer abc')).message, 'The connection to h failed.')
})
