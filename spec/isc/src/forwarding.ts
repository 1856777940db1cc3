/** The one handler: a command goes to the connector service, its answer to Identity Security Cloud. */
import type { CommandHandler } from '@sailpoint/connector-sdk'

import { call } from './call.js'
import type { Form } from './commands.js'
import { miscounted } from './faults.js'
import { Outlet } from './outlet.js'
import { patience as usual, type Patience } from './patience.js'
import { settingsOf } from './settings.js'

/** The handler of a command, for a source with this configuration. */
export function forwarding(type: string, form: Form, config: unknown, patience: Patience = usual()): CommandHandler {
    return async (context, input, response) => {
        const settings = settingsOf(config)
        const outlet = new Outlet(response, form, patience)
        try {
            for await (const frame of call(settings, { type, input, version: context.version }, patience, outlet.signal)) {
                await outlet.pass(frame)
            }
            if (form === 'one' && outlet.outputs !== 1) {
                throw miscounted(settings.endpoint.host, outlet.outputs)
            }
            outlet.finish()
        } catch (error) {
            await outlet.settled()
            throw error
        } finally {
            outlet.close()
        }
    }
}
