/**
 * Bytes of the service's answer become frames.
 *
 * A frame is a line of JSON, `{"data":…,"type":…}`. Whatever is not one begins the error text that the service writes
 * before it breaks an answer off; everything after it belongs to that text, and no frame can follow.
 */

/** SailPoint takes no larger one (SaaS Connectivity, limits), and the service sends none; more is no frame of ours. */
export const LONGEST_LINE = 256 * 1024
/** Of an error text; the rest of it is not kept. */
export const LONGEST_TEXT = 64 * 1024

export type FrameType = 'output' | 'state' | 'keepAlive' | 'config'

export interface Frame {
    readonly type: FrameType
    readonly data: unknown
}

const TYPES: ReadonlySet<unknown> = new Set<FrameType>(['output', 'state', 'keepAlive', 'config'])
const NEWLINE = 0x0a

export class FrameReader {
    private pending: Buffer[] = []
    private size = 0
    private told: string | undefined

    /** The frames that these bytes complete. Lines are decoded whole: a character may lie across two chunks. */
    push(chunk: Buffer): Frame[] {
        const found: Frame[] = []
        let from = 0
        while (this.told === undefined) {
            const end = chunk.indexOf(NEWLINE, from)
            if (end < 0) {
                break
            }
            const line = this.take(chunk.subarray(from, end))
            from = end + 1
            const frame = frameOf(line)
            if (frame === undefined) {
                this.told = `${line.toString('utf8', 0, LONGEST_TEXT)}\n`
            } else {
                found.push(frame)
            }
        }
        this.keep(chunk.subarray(from))
        return found
    }

    /** What came that is no frame: an error text, or half a frame; empty after a whole answer. */
    rest(): string {
        return (this.told ?? '') + Buffer.concat(this.pending).toString('utf8')
    }

    private take(last: Buffer): Buffer {
        const line = this.pending.length === 0 ? last : Buffer.concat([...this.pending, last])
        this.pending = []
        this.size = 0
        return line
    }

    private keep(bytes: Buffer): void {
        if (this.size + bytes.length > LONGEST_LINE) {
            // Not a frame, however it goes on: from here on it is text, of which the beginning is enough.
            this.told = (this.told ?? '') + this.take(bytes).toString('utf8', 0, LONGEST_TEXT)
        } else if (bytes.length > 0 && (this.told === undefined || this.told.length < LONGEST_TEXT)) {
            this.pending.push(bytes)
            this.size += bytes.length
        }
    }
}

function frameOf(line: Buffer): Frame | undefined {
    if (line.length > LONGEST_LINE) {
        return undefined
    }
    let parsed: unknown
    try {
        parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line))
    } catch {
        return undefined
    }
    if (typeof parsed !== 'object' || parsed === null) {
        return undefined
    }
    const { type, data } = parsed as { type?: unknown; data?: unknown }
    return TYPES.has(type) ? { type: type as FrameType, data } : undefined
}
