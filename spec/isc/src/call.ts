/**
 * One POST to the connector service, and its answer as frames.
 *
 * Node's own http and https, not fetch: that of Node 18 and 20 takes a chunked body that is cut off for a whole one when
 * the server said "Connection: close" (a test shows it). Each call has a connection of its own, so that none fails
 * because an old one had been closed; no call is ever repeated, since nobody knows how far the first one came.
 */
import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'

import { broken, ConnectTimeout, endless, foreign, refusal, Silence, unreachable } from './faults.js'
import { FrameReader, LONGEST_TEXT, type Frame } from './frames.js'
import type { Patience } from './patience.js'
import type { Settings } from './settings.js'

export interface Envelope {
    readonly type: string
    readonly input: unknown
    readonly version: unknown
}

/** The frames of the answer, as they come; a ConnectorError for everything but a whole answer. */
export async function* call(
    settings: Settings,
    envelope: Envelope,
    patience: Patience,
    signal: AbortSignal,
): AsyncGenerator<Frame> {
    const host = settings.endpoint.host
    const response = await answerOf(post(settings, envelope, patience, signal)).catch((error: unknown) => {
        throw unreachable(host, signal.aborted ? signal.reason : error)
    })
    const contentType = response.headers['content-type'] ?? ''
    try {
        if (response.statusCode !== 200) {
            throw refusal(host, response.statusCode ?? 0, contentType, await beginning(response))
        }
        if (!contentType.startsWith('application/x-ndjson')) {
            throw foreign(host, contentType)
        }
        if (!response.headers['transfer-encoding'] && response.headers['content-length'] === undefined) {
            throw endless(host)
        }
        yield* framesOf(host, response, signal)
    } finally {
        response.destroy()
    }
}

async function* framesOf(host: string, response: IncomingMessage, signal: AbortSignal): AsyncGenerator<Frame> {
    const reader = new FrameReader()
    let outputs = 0
    let failure: unknown
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    for (;;) {
        let next: IteratorResult<Buffer>
        try {
            next = await chunks.next()
        } catch (error) {
            failure = error
            break
        }
        if (next.done) {
            break
        }
        for (const frame of reader.push(next.value)) {
            outputs += frame.type === 'output' ? 1 : 0
            yield frame
        }
    }
    if (signal.aborted || failure instanceof Silence) {
        throw unreachable(host, signal.aborted ? signal.reason : failure)
    }
    const rest = reader.rest()
    if (failure !== undefined || !response.complete || rest) {
        throw broken(host, outputs, rest, failure === undefined && response.complete)
    }
}

function post(settings: Settings, envelope: Envelope, patience: Patience, signal: AbortSignal): ClientRequest {
    const { endpoint, token, source } = settings
    const body = Buffer.from(JSON.stringify({ ...envelope, config: { source } }))
    const secure = endpoint.protocol === 'https:'
    const request = (secure ? secureRequest : plainRequest)(endpoint, {
        method: 'POST',
        agent: false,
        signal,
        headers: {
            Authorization: `Bearer ${token}`,
            'Content-Type': 'application/json',
            'Content-Length': body.length,
            Accept: 'application/x-ndjson',
            'Accept-Encoding': 'identity',
            'User-Agent': 'idc-connector-isc',
        },
        // Said aloud, so that no variable of the environment can turn it off.
        ...(secure ? { rejectUnauthorized: true } : {}),
    })
    const connecting = setTimeout(() => request.destroy(new ConnectTimeout()), patience.connect)
    request.once('close', () => clearTimeout(connecting))
    request.once('socket', (socket) => {
        // Silence is normal here; a network that swallows everything is not, and only probes show it.
        socket.setKeepAlive(true, 30_000)
        socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting))
    })
    let response: IncomingMessage | undefined
    request.once('response', (begun) => (response = begun))
    request.setTimeout(patience.silence, () => (response ?? request).destroy(new Silence()))
    request.end(body)
    return request
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
        request.once('response', resolve)
        // Stays: an error after the response is told by the response as well, and must not be an unhandled event.
        request.on('error', reject)
    })
}

/** The beginning of a refusal's body; as much as came, where it breaks off. */
async function beginning(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = []
    let size = 0
    try {
        for await (const chunk of response as AsyncIterable<Buffer>) {
            chunks.push(chunk)
            size += chunk.length
            if (size > LONGEST_TEXT) {
                break
            }
        }
    } catch {
        // A refusal stays one, however little of it arrived.
        return ''
    }
    return Buffer.concat(chunks).toString('utf8', 0, LONGEST_TEXT)
}
