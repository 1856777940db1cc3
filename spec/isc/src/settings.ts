/**
 * What the source's configuration says: where the connector service is, the token for it, and which of its sources.
 *
 * Checked before any call. Sentences name the keys that are wrong, never what they hold.
 */
import { ConnectorError } from '@sailpoint/connector-sdk'

export interface Settings {
    /** Where commands are posted to. */
    readonly endpoint: URL
    readonly token: string
    /** The name of a source of the service. */
    readonly source: string
}

/** The settings in a configuration; a ConnectorError lists everything that is wrong with it. */
export function settingsOf(config: unknown): Settings {
    const given = (typeof config === 'object' && config !== null ? config : {}) as Record<string, unknown>
    const problems: string[] = []
    const text = (key: string, means: string): string => {
        const value = given[key]
        const found = typeof value === 'string' ? value.trim() : ''
        if (!found) {
            problems.push(`${key} is missing: ${means}`)
        }
        return found
    }
    const address = text('connectorUrl', 'the address of the connector service, such as https://connector.example.com')
    const token = text('connectorToken', 'the token that the connector service gave for Identity Security Cloud')
    const source = text('source', "the name of one of the connector service's sources, such as default")
    // Anything else would be refused by the HTTP client, in a sentence that helps nobody.
    if (!/^[\x21-\x7e]*$/.test(token)) {
        problems.push('connectorToken holds characters that no token has')
    }
    const endpoint = address ? endpointOf(address, problems) : undefined
    if (endpoint === undefined || problems.length > 0) {
        throw new ConnectorError(`The source's configuration is not complete: ${problems.join('; ')}.`)
    }
    return { endpoint, token, source }
}

function endpointOf(address: string, problems: string[]): URL | undefined {
    let url: URL
    try {
        url = new URL(address)
    } catch {
        problems.push('connectorUrl is no address; give one such as https://connector.example.com')
        return undefined
    }
    if (url.username || url.password || url.search || url.hash) {
        problems.push('connectorUrl is only the address: no user name, no "?" and no "#"')
    }
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
        problems.push('connectorUrl begins with https://, since anything else would show the token to the network')
    }
    const path = url.pathname.replace(/\/+$/, '')
    url.pathname = path.endsWith('/invoke') ? path : `${path}/invoke`
    return url
}

function isLoopback(host: string): boolean {
    return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
