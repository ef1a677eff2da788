/** The contract of the notes. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { ApiError, Authentication, Created, Pagination } from "flange/Contract"
import { Note, NoteDraft, NoteId } from "./Note.ts"

/** Also the error for a note of another tenant. */
export class NoteNotFound extends ApiError.make<NoteNotFound>()(
  "NoteNotFound",
  { code: "NOTE_NOT_FOUND", detail: ({ id }) => `Note ${id} does not exist`, status: 404 },
  { id: NoteId }
) {}

/** Titles are unique within a tenant. */
export class NoteTitleTaken extends ApiError.make<NoteTitleTaken>()(
  "NoteTitleTaken",
  { code: "NOTE_TITLE_TAKEN", detail: "A note has this title", status: 409 },
  {}
) {}

const params = { id: NoteId }

export class NotesApi extends HttpApiGroup.make("notes")
  .add(
    HttpApiEndpoint.post("create", "/v1/notes", {
      error: NoteTitleTaken,
      payload: NoteDraft,
      success: Created(Note)
    }),
    HttpApiEndpoint.get("list", "/v1/notes", {
      query: Pagination.query,
      success: Pagination.Page(Note)
    }),
    HttpApiEndpoint.get("read", "/v1/notes/:id", { error: NoteNotFound, params, success: Note }),
    HttpApiEndpoint.delete("remove", "/v1/notes/:id", {
      error: NoteNotFound,
      params,
      success: HttpApiSchema.NoContent
    }),
    HttpApiEndpoint.put("replace", "/v1/notes/:id", {
      error: [NoteNotFound, NoteTitleTaken],
      params,
      payload: NoteDraft,
      success: Note
    })
  )
  .middleware(Authentication.Default) {}
