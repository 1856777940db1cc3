/**
 * What Identity Security Cloud gets to see of an answer, and when.
 *
 * Objects of a list go out as they come, no faster than they are taken. The only object of any other command and every
 * state wait until the answer is known to be whole: a state saved after half a list would hide the other half for ever.
 */
import type { Duplex, Writable } from 'node:stream'

import type { Response } from '@sailpoint/connector-sdk'

import type { Form } from './commands.js'
import { Left } from './faults.js'
import type { Frame } from './frames.js'
import type { Patience } from './patience.js'

/** Milliseconds until an error is told even though not everything before it has left. */
const SETTLED_WITHIN = 5_000

export class Outlet {
    /** Objects so far, sent or held. */
    outputs = 0
    private readonly held: Frame[] = []
    private readonly timer: NodeJS.Timeout
    private readonly writable: Writable | undefined
    private readonly leaving = new AbortController()
    private braked = true

    constructor(
        private readonly response: Response<unknown>,
        private readonly form: Form,
        private readonly patience: Patience,
    ) {
        this.timer = setInterval(() => response.keepAlive(), patience.keepAlive)
        // The SDK's interface has no word for "not so fast"; the stream beneath it has. Without it nothing is lost but
        // the brake.
        this.writable = (response as unknown as { _writable?: Writable })._writable
        this.writable?.once('close', this.left)
    }

    /** Aborted when nobody waits for the answer any more. */
    get signal(): AbortSignal {
        return this.leaving.signal
    }

    /** Show a frame, or hold it, and wait for room. */
    async pass(frame: Frame): Promise<void> {
        this.outputs += frame.type === 'output' ? 1 : 0
        if (frame.type === 'state' || (frame.type === 'output' && this.form === 'one')) {
            this.held.push(frame)
            return
        }
        this.show(frame)
        if (this.braked && this.writable?.writableNeedDrain) {
            await this.drained(this.writable)
        }
    }

    /** The answer is whole: show what was held. */
    finish(): void {
        this.held.forEach((frame) => this.show(frame))
    }

    /** Wait until everything shown is on its way, so that an error does not overtake it. */
    async settled(): Promise<void> {
        const stream = this.writable as Partial<Duplex> | undefined
        const until = Date.now() + SETTLED_WITHIN
        while (stream && !stream.destroyed && Date.now() < until) {
            if ((stream.writableLength ?? 0) + (stream.readableLength ?? 0) === 0) {
                return
            }
            await new Promise((resolve) => setTimeout(resolve, 5))
        }
    }

    close(): void {
        clearInterval(this.timer)
        this.writable?.off('close', this.left)
    }

    private show(frame: Frame): void {
        this.timer.refresh()
        switch (frame.type) {
            case 'output':
                return this.response.send(frame.data)
            case 'state':
                return this.response.saveState(frame.data)
            case 'keepAlive':
                return this.response.keepAlive()
            case 'config':
                return this.response.patchConfig(frame.data as Parameters<Response<unknown>['patchConfig']>[0])
        }
    }

    private drained(writable: Writable): Promise<void> {
        return new Promise((resolve) => {
            const done = (): void => {
                clearTimeout(overdue)
                writable.off('drain', done).off('close', done)
                resolve()
            }
            // A runtime that only collects while a command runs would wait for us as we for it.
            const overdue = setTimeout(() => {
                this.braked = false
                done()
            }, this.patience.room)
            writable.on('drain', done).on('close', done)
        })
    }

    private readonly left = (): void => this.leaving.abort(new Left())
}
