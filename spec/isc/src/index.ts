/**
 * The connector that Identity Security Cloud runs: every command it sends goes to the connector service.
 *
 * Read while it is loaded, as SailPoint's runtime hands the configuration over only then; checked by the command,
 * so that std:spec:read answers without one.
 */
import { createConnector, readConfig, type Connector } from '@sailpoint/connector-sdk'

import { COMMANDS } from './commands.js'
import { forwarding } from './forwarding.js'

export const connector = async (): Promise<Connector> => {
    const config: unknown = await readConfig().catch(() => undefined)
    const made = createConnector()
    COMMANDS.forEach((form, type) => made.command(type, forwarding(type, form, config)))
    return made
}
