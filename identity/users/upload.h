/* The file of an import job on its way in, by the link that CreateUserImportJob gave. Job threads. */
#pragma once

#include "core/env.h"
#include "core/seal.h"
#include "identity/store/user_import.h" /* IMPORT_PIECE_BYTES */

struct identity;

struct import_upload {
    struct str pool, job, id;
    int64_t bytes, seq, most_bytes;
    int status;         /* of the answer, when something is wrong */
    const char *problem;
};

/* expires, signature: of the link. False: upload->status and ->problem say why not. */
bool import_upload_begin(struct identity *identity, struct arena *arena, struct str pool, struct str job,
                         struct str expires, struct str signature, struct import_upload *upload);
/* The next piece: IMPORT_PIECE_BYTES, only the last may be shorter. */
bool import_upload_piece(struct identity *identity, struct import_upload *upload, struct str bytes);
/* All is there: it is the job's file from now on, in place of an earlier one. */
bool import_upload_end(struct identity *identity, struct import_upload *upload);
/* The client went away. */
void import_upload_drop(struct identity *identity, struct import_upload *upload);
/* The link, for `PUT`. */
struct str import_upload_url(const struct sealer *sealer, struct arena *arena, struct str base_url, struct str pool,
                             struct str job, int64_t expires_s);
