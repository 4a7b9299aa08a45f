/*
 * Transactions: any number of operations on any number of tables, all or nothing.
 *
 *     begin -> { set_… | write | drop | reads through armi_at.transaction } … -> commit |
 * abort -> free
 *
 * A transaction pins the tip of its branch when it begins and sees that snapshot and its
 * own writes. It is for one thread at a time. Nothing that it does is visible to others
 * before armi_transaction_commit() returns ARMI_OK; then everything is, durably. If the
 * branch has moved meanwhile, the commit is rebased: a commit that touched other tables
 * never conflicts, nor do two appends to a table without a key; what does conflict is
 * ARMI_CONFLICT, and nothing is lost: the transaction is over, the other's commit stands.
 *
 *     state      after                    allowed
 *     active     begin                    everything
 *     committed  commit returned OK       result, free
 *     over       commit failed, or abort  free
 *
 * Any other call in a state that does not allow it is ARMI_MISUSE ("transaction already
 * committed", "transaction was aborted").
 */
#ifndef ARMILLARIA_TRANSACTION_H
#define ARMILLARIA_TRANSACTION_H

#include <armillaria/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `branch` NULL = main. *out is owned: armi_transaction_free(). ARMI_NOT_FOUND: no such
 * branch; ARMI_INVALID: a tag or a commit, or a read-only handle. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_begin(struct armi_repository *repo, const char *branch,
                       struct armi_transaction **out, struct armi_error *err);

/* What the commit will say. Each replaces what was set before; text is copied. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_set_message(struct armi_transaction *tx, const char *message,
                             struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_set_author(struct armi_transaction *tx, const char *author,
                            struct armi_error *err);
/* Adds or replaces one pair of the commit's free metadata. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_set_metadata(struct armi_transaction *tx, const char *key,
                              const char *value, struct armi_error *err);
/*
 * 16 bytes that make a retry land once: while a commit with this id is kept, a commit that
 * brings the id again changes nothing and answers with the first one's commit.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_set_txid(struct armi_transaction *tx, const uint8_t txid[16],
                          struct armi_error *err);
/* Compare and swap: the commit fails with ARMI_CONFLICT if the branch's tip is not `commit`
 * any more. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_set_expected(struct armi_transaction *tx, const struct armi_hash *commit,
                              struct armi_error *err);

enum armi_write_mode {
    ARMI_WRITE_OVERWRITE =
        0,                 /* the table's rows become these; history keeps the old ones */
    ARMI_WRITE_APPEND = 1, /* behind the rows that are there; creates an absent table */
    ARMI_WRITE_ERROR = 2,  /* ARMI_ALREADY_EXISTS if the table exists */
    ARMI_WRITE_IGNORE = 3, /* does nothing if the table exists */
};

enum armi_schema_mode {
    ARMI_SCHEMA_STRICT = 0,    /* lossless casts and missing nullable columns only */
    ARMI_SCHEMA_MERGE = 1,     /* also adds columns and widens types */
    ARMI_SCHEMA_OVERWRITE = 2, /* the data's schema becomes the table's; not with APPEND */
};

struct armi_write_options {
    size_t size;
    enum armi_write_mode mode;
    enum armi_schema_mode schema_mode;
    const char *const *key; /* column names; NULL = as it is (none, for a new table) */
    size_t key_count;
    uint64_t chunk_rows; /* rows in a chunk file, at most; 0 = by bytes (64 MiB of Arrow) */
    bool blind;          /* an overwrite that rebases over anything: the last one wins */
    struct armi_callbacks callbacks;
};

struct armi_write_result {
    size_t size;
    char table[256];
    uint64_t version; /* after the commit; 0 before it (see armi_transaction_result) */
    struct armi_hash commit; /* likewise; the current commit when nothing changed */
    bool changed;            /* false: the content was there already */
    uint64_t rows;           /* that came in */
    uint64_t rows_total;     /* of the table afterwards */
    uint64_t ranges;         /* of the table afterwards */
    uint64_t chunks_written,
        chunks_reused; /* chunk files; reused = referred to, not written */
    uint64_t bytes_written, bytes_reused;     /* of chunks, encoded */
    uint64_t columns_encoded, columns_shared; /* (range, column) pairs */
    double seconds; /* spent in the call; in armi_transaction_result: commit included */
};

/*
 * Writes a table. The stream is moved: it is released on success and on failure. It is
 * pulled on the calling thread. What the table already holds is recognised by fingerprint
 * and is not encoded again.
 *
 * *out (may be NULL) is filled without version and commit.
 *
 * Errors: ARMI_INVALID (a bad table name, a stream that fails, duplicate column names, an
 * unknown key column) · ARMI_SCHEMA_MISMATCH (names the column and both types) ·
 * ARMI_CONSTRAINT (null in a not-null column) · ARMI_UNSUPPORTED (a type that tables do not
 * carry, by column) · ARMI_ALREADY_EXISTS · ARMI_LIMIT · ARMI_STORAGE (disk full…) ·
 * ARMI_NO_MEMORY · ARMI_INTERRUPTED. After any of them the transaction goes on as if the
 * call had not been made; only where chunks of earlier writes waited beside one that could
 * not be stored, the commit fails with that same error.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_write(struct armi_transaction *tx, const char *table,
                       struct ArrowArrayStream *data,
                       const struct armi_write_options *options,
                       struct armi_write_result *out, struct armi_error *err);

/* Removes a table; its history stays readable by version or time. ARMI_NOT_FOUND. */
ARMI_API ARMI_MUST_USE enum armi_status armi_transaction_drop(struct armi_transaction *tx,
                                                              const char *table,
                                                              struct armi_error *err);

/*
 * Makes everything visible and durable at once. *commit gets the new commit's id, or that
 * of the tip when nothing changed (no commit is made then); it may be NULL.
 *
 * Errors: ARMI_CONFLICT (err->branch, err->commit = the other commit, err->name = the
 * tables) · ARMI_COMMIT_UNKNOWN (the system failed while the commit was being made durable:
 * err->commit may or may not be there; ask with armi_commit_get() or try again with the
 * same txid) · ARMI_BUSY (lock_timeout) · ARMI_STORAGE, ARMI_NO_MEMORY (nothing was
 * committed). After any error the transaction is over.
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_transaction_commit(struct armi_transaction *tx,
                                                                struct armi_hash *commit,
                                                                struct armi_error *err);

/* Forgets everything. Harmless when repeated or after the end. */
ARMI_API void armi_transaction_abort(struct armi_transaction *tx);

/* Aborts if active, and frees. NULL is allowed. */
ARMI_API void armi_transaction_free(struct armi_transaction *tx);

ARMI_API bool armi_transaction_is_active(const struct armi_transaction *tx);
/* Borrowed until the transaction is freed. */
ARMI_API const char *armi_transaction_branch(const struct armi_transaction *tx);
/* The commit that the transaction's snapshot shows; all zero on a branch without commits.
 */
ARMI_API struct armi_hash armi_transaction_snapshot(const struct armi_transaction *tx);

/* After the commit: how many tables were written, and what became of each, in order of
 * first write. */
ARMI_API size_t armi_transaction_result_count(const struct armi_transaction *tx);
ARMI_API ARMI_MUST_USE enum armi_status
armi_transaction_result(const struct armi_transaction *tx, size_t index,
                        struct armi_write_result *out, struct armi_error *err);

#ifdef __cplusplus
}
#endif

#endif
