/** How long the bundle waits. Environment variables exist for tests; Identity Security Cloud sets none. */

export interface Patience {
    /** Milliseconds until a connection stands. */
    readonly connect: number
    /** Milliseconds of silence after which Identity Security Cloud is told that the command goes on; it gives up after
     *  180 seconds (SaaS Connectivity, limits). */
    readonly keepAlive: number
    /** Milliseconds of silence after which the service is taken for dead. It says something every 20 seconds, except
     *  through a proxy that holds answers back; changes may take as long as the provisioningTimeout allows. */
    readonly silence: number
    /** Milliseconds a full stream to Identity Security Cloud is waited for; then it is not one that empties. */
    readonly room: number
}

export function patience(environment: NodeJS.ProcessEnv = process.env): Patience {
    const seconds = (name: string, usual: number): number => {
        const given = Number(environment[name])
        return 1000 * (given > 0 ? given : usual)
    }
    return {
        connect: seconds('IDC_CONNECT_SECONDS', 20),
        keepAlive: seconds('IDC_KEEP_ALIVE_SECONDS', 60),
        silence: seconds('IDC_SILENCE_SECONDS', 900),
        room: seconds('IDC_ROOM_SECONDS', 60),
    }
}
