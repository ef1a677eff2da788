/** What to write if a handler writes in a read-only transaction. */

/** The advice behind the database's own words. */
export const advice =
  "The handlers of GET and HEAD run in read-only transactions. Make the endpoint a POST. If it has to be a GET, annotate it with Database.Transactional and { readOnly: false }."
