/*
 * The type of a column, with its name, nullability, metadata and permanent id: what an
 * ArrowSchema says, copied into memory of our own and checked once, so that nobody parses a
 * format string again.
 *
 * A *schema* is a field of type ARMI_TYPE_STRUCT whose children are the columns; its own
 * name is empty and its metadata is the schema's. There is no second struct for it.
 *
 * Children by type: lists, maps and list views have one (a map's is the struct of key and
 * value); a struct has its members; a dictionary has children[0] = index type, children[1]
 * = value type; a run-end encoded field has children[0] = run ends, children[1] = values.
 */
#ifndef ARMI_ARROW_FIELD_H
#define ARMI_ARROW_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/arrow_abi.h>

#include "base/buf.h"

/* Pinned: the numbers stand in schema nodes (docs/format/schema.md). Append only. */
enum armi_type {
    ARMI_TYPE_NULL = 0,
    ARMI_TYPE_BOOL = 1,
    ARMI_TYPE_INT8 = 2,
    ARMI_TYPE_INT16 = 3,
    ARMI_TYPE_INT32 = 4,
    ARMI_TYPE_INT64 = 5,
    ARMI_TYPE_UINT8 = 6,
    ARMI_TYPE_UINT16 = 7,
    ARMI_TYPE_UINT32 = 8,
    ARMI_TYPE_UINT64 = 9,
    ARMI_TYPE_FLOAT16 = 10,
    ARMI_TYPE_FLOAT32 = 11,
    ARMI_TYPE_FLOAT64 = 12,
    ARMI_TYPE_DECIMAL32 = 13, /* precision, scale; little-endian two's complement */
    ARMI_TYPE_DECIMAL64 = 14,
    ARMI_TYPE_DECIMAL128 = 15,
    ARMI_TYPE_DECIMAL256 = 16,
    ARMI_TYPE_DATE32 = 17,                  /* days since 1970-01-01 */
    ARMI_TYPE_DATE64 = 18,                  /* milliseconds since 1970-01-01, whole days */
    ARMI_TYPE_TIME32 = 19,                  /* unit s or ms */
    ARMI_TYPE_TIME64 = 20,                  /* unit us or ns */
    ARMI_TYPE_TIMESTAMP = 21,               /* unit, timezone or NULL for naive */
    ARMI_TYPE_DURATION = 22,                /* unit */
    ARMI_TYPE_INTERVAL_MONTHS = 23,         /* int32 */
    ARMI_TYPE_INTERVAL_DAY_TIME = 24,       /* int32 days, int32 ms */
    ARMI_TYPE_INTERVAL_MONTH_DAY_NANO = 25, /* int32 months, int32 days, int64 ns */
    ARMI_TYPE_FIXED_BINARY = 26,            /* width bytes */
    ARMI_TYPE_BINARY = 27,
    ARMI_TYPE_LARGE_BINARY = 28,
    ARMI_TYPE_BINARY_VIEW = 29,
    ARMI_TYPE_UTF8 = 30,
    ARMI_TYPE_LARGE_UTF8 = 31,
    ARMI_TYPE_UTF8_VIEW = 32,
    ARMI_TYPE_LIST = 33,
    ARMI_TYPE_LARGE_LIST = 34,
    ARMI_TYPE_FIXED_LIST = 35, /* width elements */
    ARMI_TYPE_LIST_VIEW = 36,
    ARMI_TYPE_LARGE_LIST_VIEW = 37,
    ARMI_TYPE_MAP = 38, /* ordered = keys sorted */
    ARMI_TYPE_STRUCT = 39,
    ARMI_TYPE_DICTIONARY = 40, /* ordered = the dictionary's order means something */
    ARMI_TYPE_RUN_END = 41,
    ARMI_TYPE_SPARSE_UNION =
        42, /* recognised, to be refused by name: no child is imported */
    ARMI_TYPE_DENSE_UNION = 43,
    ARMI_TYPE_COUNT = 44,
};

enum armi_unit {
    ARMI_UNIT_SECOND = 0,
    ARMI_UNIT_MILLI = 1,
    ARMI_UNIT_MICRO = 2,
    ARMI_UNIT_NANO = 3,
};

/* How the values lie in buffers (validity aside). See array.h for the members that hold
 * them. */
enum armi_layout {
    ARMI_LAYOUT_NULL,        /* no buffer at all */
    ARMI_LAYOUT_BITS,        /* bool: values is a bitmap */
    ARMI_LAYOUT_FIXED,       /* values: width bytes each */
    ARMI_LAYOUT_BINARY32,    /* int32 offsets into values */
    ARMI_LAYOUT_BINARY64,    /* int64 offsets into values */
    ARMI_LAYOUT_VIEW,        /* values: 16-byte views; variadic buffers */
    ARMI_LAYOUT_LIST32,      /* int32 offsets into children[0]; also map */
    ARMI_LAYOUT_LIST64,      /* int64 offsets into children[0] */
    ARMI_LAYOUT_LIST_VIEW32, /* int32 offsets and sizes */
    ARMI_LAYOUT_LIST_VIEW64, /* int64 offsets and sizes */
    ARMI_LAYOUT_FIXED_LIST,  /* element i is children[0][i * width ...] */
    ARMI_LAYOUT_STRUCT,      /* children in step */
    ARMI_LAYOUT_DICTIONARY,  /* values: indices of index width; dictionary */
    ARMI_LAYOUT_RUN_END,     /* no buffer; children[0] run ends, children[1] values */
    ARMI_LAYOUT_UNION,       /* not carried */
};

/* Bytes, not text: Arrow allows any. Order is kept, a key may occur twice. */
struct armi_metadata_pair {
    struct armi_slice key; /* owned by the metadata */
    struct armi_slice value;
};

struct armi_metadata {
    size_t count;
    struct armi_metadata_pair *pairs;
};

struct armi_field {
    char *name; /* UTF-8, never NULL after init or import */
    enum armi_type type;
    enum armi_unit unit;
    bool nullable;
    bool ordered;      /* dictionary ordered, map keys sorted */
    int32_t width;     /* fixed-size binary: bytes; fixed-size list: elements; else 0 */
    int32_t precision; /* decimals, else 0 */
    int32_t scale;
    char *timezone; /* timestamp with a zone, else NULL; never empty */
    struct armi_metadata metadata;
    int32_t id; /* permanent column id = Parquet field id; -1 = none */
    size_t child_count;
    struct armi_field *children;
};

/* What may be released without having been filled. */
#define ARMI_FIELD_INIT                                                                    \
    {                                                                                      \
        .id = -1                                                                           \
    }

/* ---- life ---- */

/* A nullable field without parameters or children. `name` is copied; NULL means "". */
enum armi_status armi_field_init(struct armi_field *field, const char *name,
                                 enum armi_type type, struct armi_error *err);
/* An empty schema: a struct field that is not nullable. */
enum armi_status armi_field_init_schema(struct armi_field *field, struct armi_error *err);
/* Frees all it owns and makes it ARMI_FIELD_INIT. Harmless on ARMI_FIELD_INIT and on all
 * zeros. */
void armi_field_release(struct armi_field *field);
/* A deep copy; *out is overwritten, not released. */
enum armi_status armi_field_copy(const struct armi_field *field, struct armi_field *out,
                                 struct armi_error *err);
/* *out = *field (moved); *field becomes ARMI_FIELD_INIT. *out is overwritten, not released.
 */
void armi_field_move(struct armi_field *field, struct armi_field *out);

enum armi_status armi_field_set_name(struct armi_field *field, const char *name,
                                     struct armi_error *err);
enum armi_status armi_field_set_timezone(struct armi_field *field, const char *timezone,
                                         struct armi_error *err);
/* Appends *child (moved on ARMI_OK only). O(children) each: for many,
 * armi_field_alloc_children. */
enum armi_status armi_field_add_child(struct armi_field *field, struct armi_field *child,
                                      struct armi_error *err);
/* `count` empty children, all ARMI_FIELD_INIT, for the caller to fill. The field had none.
 */
enum armi_status armi_field_alloc_children(struct armi_field *field, size_t count,
                                           struct armi_error *err);
/* Removes child i and releases it. */
void armi_field_remove_child(struct armi_field *field, size_t i);

/* A schema of the columns `indices[0 .. count)`, deep copies, with the schema's metadata.
 */
enum armi_status armi_field_project(const struct armi_field *schema, const size_t *indices,
                                    size_t count, struct armi_field *out,
                                    struct armi_error *err);

/* ---- metadata ---- */

/* The first value of the key, or NULL. */
const struct armi_slice *armi_metadata_get(const struct armi_metadata *metadata,
                                           const char *key);
/* Replaces the first pair with that key, or appends. Bytes are copied. */
enum armi_status armi_metadata_set(struct armi_metadata *metadata, const char *key,
                                   struct armi_slice value, struct armi_error *err);
/* Appends a pair, whether or not the key is there already. Bytes are copied. */
enum armi_status armi_metadata_append(struct armi_metadata *metadata, struct armi_slice key,
                                      struct armi_slice value, struct armi_error *err);
/* Removes every pair with that key; whether there was one. */
bool armi_metadata_remove(struct armi_metadata *metadata, const char *key);
enum armi_status armi_metadata_copy(const struct armi_metadata *metadata,
                                    struct armi_metadata *out, struct armi_error *err);
void armi_metadata_release(struct armi_metadata *metadata);
/* Same pairs in the same order. */
bool armi_metadata_equal(const struct armi_metadata *a, const struct armi_metadata *b);

/* Removes keys that start with "armi." here and in all children: they are reserved. */
void armi_field_strip_reserved(struct armi_field *field);
/* Moves the metadata key "PARQUET:field_id" to `id`, here and in all children. A value that
 * is no number in 0 .. INT32_MAX is dropped: id stays as it was. Import does not do this by
 * itself. */
void armi_field_take_ids(struct armi_field *field);

/* "ARROW:extension:name", or NULL. Not zero-terminated. */
const struct armi_slice *armi_field_extension(const struct armi_field *field);

/* ---- the C Data Interface ---- */

/*
 * Copies what *schema says; it stays the caller's. ARMI_INVALID: released, a malformed
 * format string, a missing or superfluous child, a name that is not UTF-8, a run-end or
 * index type that Arrow does not allow; ARMI_LIMIT: nested deeper than ARMI_NESTING_MAX, or
 * more than ARMI_COLUMNS_MAX children. Unions are imported as their bare type;
 * armi_field_check_carried refuses them by name.
 */
enum armi_status armi_field_import(const struct ArrowSchema *schema, struct armi_field *out,
                                   struct armi_error *err);
/* As armi_field_import; the root must be a struct (ARMI_INVALID). Its name becomes "". */
enum armi_status armi_field_import_schema(const struct ArrowSchema *schema,
                                          struct armi_field *out, struct armi_error *err);

enum {
    ARMI_EXPORT_IDS = 1, /* put ids >= 0 into the metadata as PARQUET:field_id */
};
/* *out becomes owned by the caller, who calls out->release. */
enum armi_status armi_field_export(const struct armi_field *field, unsigned flags,
                                   struct ArrowSchema *out, struct armi_error *err);

/* ---- questions ---- */

/* The type with parameters and children's types is always compared; struct members' names
 * belong to the type. These add to it, at every level: */
enum {
    ARMI_EQUAL_NAMES = 1, /* own name, names of list items and map entries */
    ARMI_EQUAL_NULLABLE = 2,
    ARMI_EQUAL_METADATA = 4,
    ARMI_EQUAL_IDS = 8,
    ARMI_EQUAL_ALL = 15,
};
bool armi_field_equal(const struct armi_field *a, const struct armi_field *b,
                      unsigned flags);

/* Index of the column of that exact name, or -1. The first, if there are several. */
int64_t armi_field_find(const struct armi_field *schema, const char *name);
/* Index of the column with that id (>= 0), or -1. */
int64_t armi_field_find_id(const struct armi_field *schema, int32_t id);

/* Refuses, naming the column: two columns of one name (ARMI_INVALID); a union anywhere
 * (ARMI_UNSUPPORTED). */
enum armi_status armi_field_check_carried(const struct armi_field *schema,
                                          struct armi_error *err);

/* Lower-case word of the type alone, "utf8", "timestamp"; static, never NULL. The text with
 * parameters, as pyarrow prints it, is armi_type_format in schema_text.h. */
const char *armi_type_name(enum armi_type type);

enum armi_layout armi_type_layout(enum armi_type type);
/* Bytes of one value in a values buffer: 1..32, `width` for fixed-size binary, the index's
 * for a dictionary, 16 for views; 0 for bool (bits), null, and all that has no fixed width.
 */
int32_t armi_field_byte_width(const struct armi_field *field);

/* Layout FIXED: a values buffer of byte_width each, nothing else (not bool, not
 * dictionary). */
bool armi_type_is_fixed_width(enum armi_type type);
/* utf8 or binary in any of their three layouts; not fixed-size binary. */
bool armi_type_is_binary(enum armi_type type);
bool armi_type_is_utf8(enum armi_type type);
/* Lists of all kinds, map, struct, union. Dictionary and run-end are not: ask their value
 * field. */
bool armi_type_is_nested(enum armi_type type);
bool armi_type_is_integer(enum armi_type type);
bool armi_type_is_signed(enum armi_type type); /* of the integers */
/* The largest value of an integer type, INT64_MAX for uint64. */
int64_t armi_type_integer_max(enum armi_type type);
bool armi_type_is_float(enum armi_type type);
bool armi_type_is_decimal(enum armi_type type);
/* Whether `unit` means something: time32, time64, timestamp, duration. */
bool armi_type_has_unit(enum armi_type type);

/* Of a dictionary or run-end field the value field, through all levels; else the field
 * itself. */
const struct armi_field *armi_field_value(const struct armi_field *field);

#endif
