/**
 * What went wrong, in a sentence for the person who reads it in Identity Security Cloud.
 *
 * The service's own errors keep their sentence and their type. Everything else names the service's host and what to
 * look at. No sentence holds the token, a body that is no error text, or a stack.
 */
import { ConnectorError, ConnectorErrorType } from '@sailpoint/connector-sdk'

const LONGEST_REMARK = 300

/** `generic error: \n + ConnectorError: sentence`, as SailPoint's own runtime writes it; a stack may follow. */
const ERROR_TEXT = /^(\w+) error: ?\r?\n \+ (?:\w*Error: )?([\s\S]*)$/

/** The error that a text of the service tells, if it is one. */
export function toldError(text: string): ConnectorError | undefined {
    const [, type, told] = ERROR_TEXT.exec(text) ?? []
    if (type === undefined || told === undefined) {
        return undefined
    }
    const sentence = told.split(/\r?\n\s+at /, 1)[0]?.trim() || 'The connector service failed and did not say why.'
    // notFound orders Identity Security Cloud to create the account: only the service's own word for it counts.
    return new ConnectorError(
        sentence,
        type === 'notFound' ? ConnectorErrorType.NotFound : ConnectorErrorType.Generic,
    )
}

/** The error for an answer whose status is not 200. */
export function refusal(host: string, status: number, contentType: string, text: string): ConnectorError {
    const told = status === 500 ? toldError(text) : undefined
    if (told !== undefined) {
        return told
    }
    const remark = contentType.startsWith('text/plain') ? text.trim().split('\n', 1)[0]!.slice(0, LONGEST_REMARK) : ''
    const said = `${host} answered ${status}${remark && `: ${remark}`}`
    const hint = hintFor(status)
    return new ConnectorError(hint ? `${ended(said)} ${hint}` : ended(said))
}

function hintFor(status: number): string {
    if (status === 401) {
        return "Check connectorToken in the source's configuration."
    }
    if (status === 403) {
        return 'The token does not reach this; give it the scope and the source it needs.'
    }
    if (status === 404) {
        return "Check connectorUrl in the source's configuration."
    }
    if (status >= 300 && status < 400) {
        return 'Redirects are not followed; set connectorUrl to the address that answers.'
    }
    if (status === 502 || status === 503 || status === 504) {
        return 'The proxy in front of the connector service gets no answer from it.'
    }
    return ''
}

/** The error for an answer that begins well and is no answer of the service. */
export function foreign(host: string, contentType: string): ConnectorError {
    const what = contentType.split(';', 1)[0] || 'something without a type'
    return new ConnectorError(
        `${host} answered with ${what.slice(0, 100)} instead of frames; connectorUrl does not lead to the connector service.`,
    )
}

/** The error for a body that does not show where it ends. */
export function endless(host: string): ConnectorError {
    return new ConnectorError(
        `The answer of ${host} does not show where it ends, so a part of it could be taken for the whole. ` +
            'Let the proxy in front of the connector service speak HTTP/1.1 on both sides.',
    )
}

/** The error for an answer that did not come to its end, or came to one it should not have. */
export function broken(host: string, outputs: number, rest: string, whole: boolean): ConnectorError {
    const told = toldError(rest)
    if (told !== undefined) {
        return told
    }
    const what = whole ? 'has something in it that is no frame' : 'broke off before its end'
    return new ConnectorError(`The answer of ${host} ${what} (after ${count(outputs)}); nothing of it can be relied on.`)
}

/** The error for one answer where another number came. */
export function miscounted(host: string, outputs: number): ConnectorError {
    return new ConnectorError(`${host} answered with ${count(outputs)} where one was expected.`)
}

export class ConnectTimeout extends Error {}
export class Silence extends Error {}
export class Left extends Error {}

/** The error for a connection that failed before an answer began. */
export function unreachable(host: string, error: unknown): ConnectorError {
    return new ConnectorError(sentenceFor(host, error))
}

function sentenceFor(host: string, error: unknown): string {
    if (error instanceof ConnectTimeout) {
        return `${host} cannot be reached: no connection in time. Identity Security Cloud needs a public address.`
    }
    if (error instanceof Silence) {
        return `${host} was silent for too long; the command was given up.`
    }
    if (error instanceof Left) {
        return 'Nobody waits for the answer any more; the command was given up.'
    }
    const code = codeOf(error)
    switch (code) {
        case 'ENOTFOUND':
        case 'EAI_AGAIN':
            return `${host} cannot be found: the name is not known to DNS. Check connectorUrl.`
        case 'ECONNREFUSED':
            return `${host} refuses connections: nothing listens there. Is the connector service running?`
        case 'ETIMEDOUT':
        case 'EHOSTUNREACH':
        case 'ENETUNREACH':
            return `${host} cannot be reached (${code}). Identity Security Cloud needs a public address.`
        case 'ECONNRESET':
        case 'EPIPE':
            return `${host} closed the connection before it answered.`
        default:
            return isTls(code)
                ? `The certificate of ${host} is not trusted (${code}). It must be a valid one of a public authority.`
                : `The connection to ${host} failed${code ? ` (${code})` : ''}.`
    }
}

function codeOf(error: unknown): string {
    const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
    return typeof code === 'string' ? code : ''
}

/** OpenSSL's reasons to distrust a certificate, as Node names them. */
function isTls(code: string): boolean {
    return /^(ERR_TLS_|CERT_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/.test(code)
}

function count(outputs: number): string {
    return outputs === 1 ? '1 object' : `${outputs} objects`
}

function ended(sentence: string): string {
    return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
}
