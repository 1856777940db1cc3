import assert from 'node:assert/strict'
import { test } from 'node:test'

import { settingsOf } from '../src/settings.js'

const GOOD = { connectorUrl: 'https://c.example.com', connectorToken: 'idc_secret', source: 'default' }

test('commands are posted to /invoke below the address', () => {
    const rows = [
        ['https://c.example.com', 'https://c.example.com/invoke'],
        ['https://c.example.com/', 'https://c.example.com/invoke'],
        [' https://c.example.com:8443/aws// ', 'https://c.example.com:8443/aws/invoke'],
        ['https://c.example.com/aws/invoke', 'https://c.example.com/aws/invoke'],
        ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/invoke'],
        ['http://localhost:8080', 'http://localhost:8080/invoke'],
        ['http://[::1]:8080', 'http://[::1]:8080/invoke'],
    ]
    for (const [connectorUrl, endpoint] of rows) {
        assert.equal(settingsOf({ ...GOOD, connectorUrl }).endpoint.href, endpoint)
    }
})

test('white space around a pasted token or source is taken away', () => {
    const settings = settingsOf({ ...GOOD, connectorToken: ' idc_secret\n', source: ' default ' })
    assert.equal(settings.token, 'idc_secret')
    assert.equal(settings.source, 'default')
})

test('what is missing or wrong is told at once, by key', () => {
    for (const config of [undefined, null, {}, 'text', { connectorUrl: 7, connectorToken: '', source: null }]) {
        assert.throws(() => settingsOf(config), /connectorUrl is missing.*connectorToken is missing.*source is missing/)
    }
    const rows: [object, RegExp][] = [
        [{ connectorUrl: 'c.example.com' }, /connectorUrl is no address/],
        [{ connectorUrl: 'http://c.example.com' }, /connectorUrl begins with https/],
        [{ connectorUrl: 'http://127.0.0.1.example.com' }, /connectorUrl begins with https/],
        [{ connectorUrl: 'ftp://127.0.0.1' }, /connectorUrl begins with https/],
        [{ connectorUrl: 'https://me:pass@c.example.com' }, /connectorUrl is only the address/],
        [{ connectorUrl: 'https://c.example.com?x=1' }, /connectorUrl is only the address/],
        [{ connectorToken: 'two words' }, /connectorToken holds characters/],
        [{ connectorToken: 'idc_\r\nX: y' }, /connectorToken holds characters/],
        [{ source: ' ' }, /source is missing/],
    ]
    for (const [change, problem] of rows) {
        assert.throws(() => settingsOf({ ...GOOD, ...change }), problem)
    }
})

test('no sentence holds the token or what else was given', () => {
    const config = { connectorUrl: 'https://me:hush@x', connectorToken: 'idc_höchst geheim', source: '' }
    assert.throws(
        () => settingsOf(config),
        (error: Error) => !/geheim|hush|me:/.test(error.message) && error.constructor.name === 'ConnectorError',
    )
})
