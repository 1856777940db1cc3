/** The handler, between a real socket and the SDK's own response stream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PassThrough } from 'node:stream'

import { ResponseStream, StandardCommand, type Context } from '@sailpoint/connector-sdk'

import { COMMANDS, type Form } from '../src/commands.js'
import { forwarding } from '../src/forwarding.js'
import { connector } from '../src/index.js'
import { chunk, collecting, END, head, output, stub, WAITS, type Script, type Stub } from './stub.js'

const CONTEXT = { version: 1 } as unknown as Context
const STATE = '{"data":{"snapshot":"7"},"type":"state"}\n'
const sent = (...data: unknown[]): unknown[] => data.map((each) => ({ type: 'output', data: each }))

async function handled(script: Script, form: Form, waits = WAITS): Promise<{ frames: unknown[]; error?: Error; service: Stub }> {
    const service = await stub(script)
    const config = { connectorUrl: service.url, connectorToken: 'idc_x', source: 'default' }
    const { response, frames } = collecting()
    const error = await forwarding('t', form, config, waits)(CONTEXT, {}, response).then(() => undefined, (e: Error) => e)
    await new Promise((resolve) => setImmediate(resolve))
    await service.close()
    return { frames, service, ...(error ? { error } : {}) }
}

test('a list goes out frame by frame, its state last', async () => {
    const patch = '{"data":[{"op":"add","path":"/x","value":"1"}],"type":"config"}\n'
    const alive = '{"data":{},"type":"keepAlive"}\n'
    const { frames, error } = await handled(
        (socket) => void socket.end(head() + chunk(output(1) + alive + patch + output(2) + STATE) + END),
        'list',
    )
    assert.equal(error, undefined)
    assert.deepEqual(frames, [
        { type: 'output', data: 1 },
        { type: 'keepAlive', data: {} },
        { type: 'config', data: [{ op: 'add', path: '/x', value: '1' }] },
        { type: 'output', data: 2 },
        { type: 'state', data: { snapshot: '7' } },
    ])
})

test('a state is not saved unless the answer is whole', async () => {
    const { frames, error } = await handled((socket) => void socket.end(head() + chunk(output(1) + STATE)), 'list')
    assert.match(error!.message, /broke off/)
    assert.deepEqual(frames, sent(1))
})

test('the only object of a command is shown when the answer is whole', async () => {
    const whole = await handled((socket) => void socket.end(head() + chunk(output(1)) + END), 'one')
    assert.deepEqual([whole.frames, whole.error], [sent(1), undefined])
    const cut = await handled((socket) => void socket.end(head() + chunk(output(1))), 'one')
    assert.deepEqual(cut.frames, [])
    assert.match(cut.error!.message, /broke off/)
})

test('no object, or two, where one is due is an error', async () => {
    for (const [body, count] of [['', '0 objects'], [chunk(output(1) + output(2)), '2 objects']] as const) {
        const { frames, error } = await handled((socket) => void socket.end(head() + body + END), 'one')
        assert.match(error!.message, new RegExp(`answered with ${count} where one was expected`))
        assert.deepEqual(frames, [])
    }
})

test('an empty list is a list', async () => {
    const { frames, error } = await handled((socket) => void socket.end(head() + END), 'list')
    assert.deepEqual([frames, error], [[], undefined])
})

test('keepAlive while the service is silent, and none after the end', async () => {
    const { frames, error } = await handled(
        (socket) => void setTimeout(() => socket.end(head() + chunk(output(1)) + END), 260),
        'one',
        { ...WAITS, keepAlive: 50 },
    )
    assert.equal(error, undefined)
    assert.ok(frames.length >= 3 && frames.length <= 6, String(frames.length))
    assert.deepEqual(frames.at(-1), { type: 'output', data: 1 })
    assert.deepEqual(frames[0], { type: 'keepAlive', data: {} })
    const before = frames.length
    await new Promise((resolve) => setTimeout(resolve, 120))
    assert.equal(frames.length, before)
})

test('a wrong configuration is told before any call', async () => {
    const { response } = collecting()
    await assert.rejects(forwarding('t', 'one', undefined)(CONTEXT, {}, response), /connectorUrl is missing/)
})

test('the service is read no faster than its frames are taken, and every frame arrives', async () => {
    const many = 4_000
    const line = output({ text: 'x'.repeat(5_000) })
    let written = 0
    const service = await stub(async (socket) => {
        socket.write(head())
        for (let at = 0; at < many; at++) {
            written++
            if (!socket.write(chunk(line))) {
                await new Promise((resolve) => socket.once('drain', resolve))
            }
        }
        socket.end(END)
    })
    const stream = new PassThrough({ objectMode: true })
    const config = { connectorUrl: service.url, connectorToken: 'idc_x', source: 'default' }
    const done = forwarding('t', 'list', config, WAITS)(CONTEXT, {}, new ResponseStream(stream))
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(written < many, 'the whole list was read while nobody took a frame')
    assert.ok(stream.writableLength <= 64, String(stream.writableLength))
    let taken = 0
    stream.on('data', () => taken++)
    await done
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(taken, many)
    await service.close()
})

test('a runtime that collects while a command runs is not waited for for ever', async () => {
    const service = await stub((socket) => void socket.end(head() + chunk(output(1).repeat(200)) + END))
    const stream = new PassThrough({ objectMode: true })
    const config = { connectorUrl: service.url, connectorToken: 'idc_x', source: 'default' }
    await forwarding('t', 'list', config, { ...WAITS, room: 50 })(CONTEXT, {}, new ResponseStream(stream))
    let taken = 0
    stream.on('data', () => taken++)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(taken, 200)
    await service.close()
})

test('whoever takes the frames leaves: the service sees its client leave', async () => {
    const { response, stream } = collecting()
    let closed: () => void
    const left = new Promise<void>((resolve) => (closed = resolve))
    const service = await stub((socket) => void socket.on('close', () => closed()))
    const config = { connectorUrl: service.url, connectorToken: 'idc_x', source: 'default' }
    const done = forwarding('t', 'list', config, WAITS)(CONTEXT, {}, response)
    setTimeout(() => stream.destroy(), 50)
    await assert.rejects(done, /Nobody waits/)
    await left
    await service.close()
})

test('every standard command of the SDK has its place', async () => {
    const made = await connector()
    const kept = ['std:spec:read', 'std:change-password', 'std:authenticate']
    for (const command of Object.values(StandardCommand)) {
        assert.equal(COMMANDS.has(command), !kept.includes(command), command)
        assert.equal(made.handlers.has(command), COMMANDS.has(command) || command === 'std:spec:read', command)
    }
})
