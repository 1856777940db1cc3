import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FrameReader, LONGEST_LINE, LONGEST_TEXT } from '../src/frames.js'

const TEXT = [
    { data: { name: 'Zoë – 日本 😀', line: 'a\nb' }, type: 'output' },
    { data: {}, type: 'keepAlive' },
    { data: { snapshot: '7' }, type: 'state' },
    { data: [{ op: 'replace', path: '/a', value: '\u2028' }], type: 'config' },
]
const BYTES = Buffer.from(TEXT.map((frame) => `${JSON.stringify(frame)}\n`).join(''))

test('frames are the same however the bytes are cut, inside characters too', () => {
    for (let size = 1; size <= BYTES.length; size++) {
        const reader = new FrameReader()
        const found = []
        for (let at = 0; at < BYTES.length; at += size) {
            found.push(...reader.push(BYTES.subarray(at, at + size)))
        }
        assert.deepEqual(found, TEXT)
        assert.equal(reader.rest(), '')
    }
})

test('an error text after frames is kept as it came, wherever it is cut', () => {
    const text = 'generic error: \n + ConnectorError: AWS sagt nein – für immer'
    const bytes = Buffer.concat([BYTES, Buffer.from(text)])
    for (let size = 1; size <= bytes.length; size++) {
        const reader = new FrameReader()
        const found = []
        for (let at = 0; at < bytes.length; at += size) {
            found.push(...reader.push(bytes.subarray(at, at + size)))
        }
        assert.deepEqual(found, TEXT)
        assert.equal(reader.rest(), text)
    }
})

test('nothing after an error text is taken for a frame', () => {
    const reader = new FrameReader()
    const found = reader.push(Buffer.from('generic error: \n + ConnectorError: no\n{"data":{},"type":"output"}\n'))
    assert.deepEqual(found, [])
    assert.deepEqual(reader.push(Buffer.from('{"data":{},"type":"output"}\n')), [])
    assert.match(reader.rest(), /^generic error/)
})

test('half a frame is no frame', () => {
    const reader = new FrameReader()
    assert.deepEqual(reader.push(BYTES.subarray(0, 20)), [])
    assert.notEqual(reader.rest(), '')
})

const STRANGE = ['null', '[]', '7', '"output"', '{}', '{"data":{}}', '{"data":{},"type":"end"}', '', '{"data":', '{"data":"\xff","type":"output"}']
test('what is no frame of ours is not passed over in silence', () => {
    for (const line of STRANGE) {
        const reader = new FrameReader()
        assert.deepEqual(reader.push(Buffer.from(`${line}\n`, 'latin1')), [], line)
        assert.notEqual(reader.rest(), '', line)
    }
})

test('a line of the greatest length is a frame, a longer one is not', () => {
    const line = (length: number): Buffer => Buffer.from(`{"data":"${'x'.repeat(length - 27)}","type":"output"}\n`)
    for (const step of [1024, 10_000_000]) {
        for (const [length, frames] of [[LONGEST_LINE, 1], [LONGEST_LINE + 1, 0]] as const) {
            const reader = new FrameReader()
            const bytes = line(length)
            assert.equal(bytes.length, length + 1)
            let found = 0
            for (let at = 0; at < bytes.length; at += step) {
                found += reader.push(bytes.subarray(at, at + step)).length
            }
            assert.equal(found, frames)
        }
    }
})

test('an endless line and an endless text take bounded memory', () => {
    for (const beginning of ['', 'generic error: \n']) {
        const reader = new FrameReader()
        reader.push(Buffer.from(beginning))
        for (let count = 0; count < 200; count++) {
            reader.push(Buffer.alloc(65_536, 'x'))
        }
        assert.ok(reader.rest().length <= LONGEST_LINE + 2 * LONGEST_TEXT, String(reader.rest().length))
    }
})
