/**
 * The commands that go to the connector service, and the form of their answers.
 *
 * std:spec:read is missing because the SDK answers it from connector-spec.json. std:change-password and
 * std:authenticate are missing because their input holds a password, which must not travel to a service that has no
 * use for it; the SDK answers them "unsupported command". What the service does not support, it says itself.
 */
import { StandardCommand } from '@sailpoint/connector-sdk'

/** One object, or any number of them. */
export type Form = 'one' | 'list'

export const COMMANDS: ReadonlyMap<string, Form> = new Map<string, Form>([
    [StandardCommand.StdTestConnection, 'one'],
    [StandardCommand.StdAccountList, 'list'],
    [StandardCommand.StdAccountRead, 'one'],
    [StandardCommand.StdAccountCreate, 'one'],
    [StandardCommand.StdAccountUpdate, 'one'],
    [StandardCommand.StdAccountDelete, 'one'],
    [StandardCommand.StdAccountEnable, 'one'],
    [StandardCommand.StdAccountDisable, 'one'],
    [StandardCommand.StdAccountUnlock, 'one'],
    [StandardCommand.StdAccountDiscoverSchema, 'one'],
    [StandardCommand.StdEntitlementList, 'list'],
    [StandardCommand.StdEntitlementRead, 'one'],
    [StandardCommand.StdSourceDataDiscover, 'one'],
    [StandardCommand.StdSourceDataRead, 'one'],
    [StandardCommand.StdConfigOptions, 'one'],
    [StandardCommand.StdApplicationDiscoveryList, 'list'],
])
