/**
 * Positions in a topic, and the ids of events.
 *
 * The events of a topic have the sequence numbers 1, 2, 3 and so on, without a gap. A reader that finds one
 * knows that it has missed events. A topic that was emptied has another generation.
 */

/** A place behind an event of a topic. The sequence 0 is the place before the first event. */
export interface Position {
  /** When the topic was created, in Unix milliseconds; 0 for a topic without any event so far. */
  readonly generation: number
  readonly sequence: number
}

/** Returns the id of the event at a position. */
export const format = ({ generation, sequence }: Position): string => `${generation}-${sequence}`

/** Reads the id of an event; undefined for another text. */
export const parse = (id: string): Position | undefined => {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(id)
  return match === null ? undefined : { generation: Number(match[1]), sequence: Number(match[2]) }
}

/** Whether a topic can have the name. */
export const isTopic = (topic: string): boolean => /^[\x21-\x7e]{1,200}$/.test(topic)
