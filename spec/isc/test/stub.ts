/** A service that answers with bytes, for tests: whatever `script` writes to the socket is the answer. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'

import { ResponseStream } from '@sailpoint/connector-sdk'

export interface Stub {
    readonly url: string
    /** Every request as it came, headers and body. */
    readonly requests: string[]
    close(): Promise<void>
}

export type Script = (socket: Socket) => void | Promise<void>

export async function stub(script: Script): Promise<Stub> {
    const requests: string[] = []
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
        let received = ''
        socket.on('data', (chunk) => {
            received += chunk.toString('latin1')
            const [head, body] = received.split('\r\n\r\n')
            const length = Number(/content-length: (\d+)/i.exec(head ?? '')?.[1])
            if (body !== undefined && body.length === length) {
                requests.push(received)
                received = ''
                void script(socket)
            }
        })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        requests,
        close: () => {
            sockets.forEach((socket) => socket.destroy())
            return new Promise((resolve) => server.close(() => resolve()))
        },
    }
}

/** The head of an answer whose body comes in chunks. */
export function head(status = '200 OK', ...more: string[]): string {
    return [
        `HTTP/1.1 ${status}`,
        'Content-Type: application/x-ndjson',
        'Transfer-Encoding: chunked',
        ...more,
        '\r\n',
    ].join('\r\n')
}

export function chunk(text: string): string {
    return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

export const END = '0\r\n\r\n'

export function output(data: unknown): string {
    return `${JSON.stringify({ data, type: 'output' })}\n`
}

export const WAITS = { connect: 2_000, keepAlive: 60_000, silence: 5_000, room: 5_000 }

/** Where a handler's answer goes, and what has arrived there so far. */
export function collecting(): { response: ResponseStream<unknown>; frames: unknown[]; stream: PassThrough } {
    const stream = new PassThrough({ objectMode: true })
    const frames: unknown[] = []
    stream.on('data', (frame: object) => frames.push({ ...frame }))
    return { response: new ResponseStream<unknown>(stream), frames, stream }
}
