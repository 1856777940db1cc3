/*
 * Loaded into SailPoint's dev server before it starts, so that it hosts a bundle as Identity Security Cloud does.
 *
 * A bundle brings a copy of the SDK of its own, which the dev server's copy does not know: its readConfig() cannot see
 * the dev server's configuration, and its ConnectorError is no instance of the dev server's. Here the configuration is
 * put where every copy finds it, the variable CONNECTOR_CONFIG, while the bundle is loaded and no longer; and a
 * ConnectorError is known by its name. Nothing else of the dev server is touched.
 */
const { join } = require('node:path')

const sdk = join(process.env.DEV_SERVER_SDK, 'dist', 'lib')
const config = require(join(sdk, 'config.js'))
const { ConnectorError } = require(join(sdk, 'error.js'))

const withConfig = config._withConfig
config._withConfig = (given, callback) => {
    process.env.CONNECTOR_CONFIG = Buffer.from(JSON.stringify(given ?? {})).toString('base64')
    try {
        return withConfig(given, callback)
    } finally {
        delete process.env.CONNECTOR_CONFIG
    }
}
Object.defineProperty(ConnectorError, Symbol.hasInstance, {
    value: (error) => error?.constructor?.name === 'ConnectorError',
})
