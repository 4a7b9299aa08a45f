/*
 * Which Arrow types a stored leaf can become, and by which conversion.
 */
#include "parquet/parquet_types.h"

#define DAY_MS 86400000

/* The annotations of an element, the new kind before the old. */
static bool is_logical(const struct armi_pq_schema_element *e, int id)
{
    return ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, id);
}

static bool is_converted(const struct armi_pq_schema_element *e, int id)
{
    return ARMI_PQ_HAS(e, 6) && e->converted == id;
}

static bool stored_decimal(const struct armi_pq_schema_element *e, int32_t *precision,
                           int32_t *scale)
{
    if (is_logical(e, ARMI_PQ_LOGICAL_DECIMAL)) {
        *precision = e->logical.decimal.precision;
        *scale = e->logical.decimal.scale;
        return true;
    }
    *precision = e->precision;
    *scale = e->scale;
    return is_converted(e, ARMI_PQ_CONVERTED_DECIMAL);
}

/* Unit and zone of a TIME or TIMESTAMP; false where it is neither. */
static bool stored_time(const struct armi_pq_schema_element *e, bool timestamp,
                        enum armi_unit *unit, bool *is_utc)
{
    int milli =
        timestamp ? ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS : ARMI_PQ_CONVERTED_TIME_MILLIS;
    if (is_logical(e, timestamp ? ARMI_PQ_LOGICAL_TIMESTAMP : ARMI_PQ_LOGICAL_TIME)) {
        const struct armi_pq_time *t = &e->logical.time;
        *is_utc = t->is_utc;
        *unit = ARMI_PQ_HAS(&t->unit, 1)   ? ARMI_UNIT_MILLI
                : ARMI_PQ_HAS(&t->unit, 2) ? ARMI_UNIT_MICRO
                                           : ARMI_UNIT_NANO;
        return t->unit.present != 0;
    }
    *is_utc = true;
    *unit = is_converted(e, milli) ? ARMI_UNIT_MILLI : ARMI_UNIT_MICRO;
    return is_converted(e, milli) || is_converted(e, milli + 1);
}

static bool bind(struct armi_pq_leaf *leaf, enum armi_pq_convert convert, int64_t factor)
{
    leaf->convert = convert;
    leaf->factor = factor;
    return true;
}

static bool bind_decimal(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e,
                         const struct armi_field *f)
{
    int32_t precision, scale;
    if (!stored_decimal(e, &precision, &scale) || precision != f->precision ||
        scale != f->scale)
        return false;
    if (leaf->physical == ARMI_PQ_INT32 || leaf->physical == ARMI_PQ_INT64)
        return bind(leaf, ARMI_PQ_DECIMAL_INT, 0);
    if (leaf->physical == ARMI_PQ_FIXED || leaf->physical == ARMI_PQ_BYTE_ARRAY)
        return bind(leaf, ARMI_PQ_DECIMAL_BYTES, 0);
    return false;
}

static bool bind_timestamp(struct armi_pq_leaf *leaf,
                           const struct armi_pq_schema_element *e,
                           const struct armi_field *f)
{
    static const int64_t unit_ns[] = {1000000000, 1000000, 1000, 1};
    enum armi_unit unit;
    bool is_utc;
    if (leaf->physical == ARMI_PQ_INT96)
        return bind(leaf, ARMI_PQ_CONVERT_INT96, unit_ns[f->unit]);
    if (leaf->physical != ARMI_PQ_INT64 || !stored_time(e, true, &unit, &is_utc) ||
        is_utc != (f->timezone != NULL))
        return false;
    if (unit == f->unit)
        return bind(leaf, ARMI_PQ_COPY, 0);
    if (unit == ARMI_UNIT_MILLI && f->unit == ARMI_UNIT_SECOND)
        return bind(leaf, ARMI_PQ_SCALE, 1000);
    return false;
}

static bool bind_time(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e,
                      const struct armi_field *f)
{
    enum armi_unit unit;
    bool is_utc;
    bool is_32 = f->type == ARMI_TYPE_TIME32;
    if (leaf->physical != (is_32 ? ARMI_PQ_INT32 : ARMI_PQ_INT64) ||
        !stored_time(e, false, &unit, &is_utc))
        return false;
    if (unit == f->unit)
        return bind(leaf, ARMI_PQ_COPY, 0);
    if (unit == ARMI_UNIT_MILLI && f->unit == ARMI_UNIT_SECOND)
        return bind(leaf, ARMI_PQ_SCALE, 1000);
    return false;
}

static bool bind_date64(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e)
{
    enum armi_unit unit;
    bool is_utc;
    if (leaf->physical == ARMI_PQ_INT32 &&
        (is_logical(e, ARMI_PQ_LOGICAL_DATE) || is_converted(e, ARMI_PQ_CONVERTED_DATE)))
        return bind(leaf, ARMI_PQ_SCALE, -DAY_MS);
    return leaf->physical == ARMI_PQ_INT64 && stored_time(e, true, &unit, &is_utc) &&
           unit == ARMI_UNIT_MILLI && bind(leaf, ARMI_PQ_COPY, 0);
}

static bool bind_value(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e,
                       const struct armi_field *f)
{
    enum armi_pq_type p = leaf->physical;
    switch (f->type) {
    case ARMI_TYPE_NULL:
        return bind(leaf, ARMI_PQ_NULL, 0);
    case ARMI_TYPE_BOOL:
        return p == ARMI_PQ_BOOLEAN && bind(leaf, ARMI_PQ_BOOL, 0);
    case ARMI_TYPE_INT8:
    case ARMI_TYPE_INT16:
    case ARMI_TYPE_UINT8:
    case ARMI_TYPE_UINT16:
        return p == ARMI_PQ_INT32 && bind(leaf, ARMI_PQ_NARROW, 0);
    case ARMI_TYPE_INT32:
    case ARMI_TYPE_UINT32:
    case ARMI_TYPE_DATE32:
        return p == ARMI_PQ_INT32 && bind(leaf, ARMI_PQ_COPY, 0);
    case ARMI_TYPE_INT64:
    case ARMI_TYPE_UINT64:
    case ARMI_TYPE_DURATION:
        return p == ARMI_PQ_INT64 && bind(leaf, ARMI_PQ_COPY, 0);
    case ARMI_TYPE_FLOAT16:
        return p == ARMI_PQ_FIXED && leaf->type_length == 2 && bind(leaf, ARMI_PQ_COPY, 0);
    case ARMI_TYPE_FLOAT32:
        return p == ARMI_PQ_FLOAT && bind(leaf, ARMI_PQ_COPY, 0);
    case ARMI_TYPE_FLOAT64:
        return p == ARMI_PQ_DOUBLE && bind(leaf, ARMI_PQ_COPY, 0);
    case ARMI_TYPE_DECIMAL32:
    case ARMI_TYPE_DECIMAL64:
    case ARMI_TYPE_DECIMAL128:
    case ARMI_TYPE_DECIMAL256:
        return bind_decimal(leaf, e, f);
    case ARMI_TYPE_DATE64:
        return bind_date64(leaf, e);
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
        return bind_time(leaf, e, f);
    case ARMI_TYPE_TIMESTAMP:
        return bind_timestamp(leaf, e, f);
    case ARMI_TYPE_FIXED_BINARY:
        if (p == ARMI_PQ_FIXED && leaf->type_length == f->width)
            return bind(leaf, ARMI_PQ_COPY, 0);
        return p == ARMI_PQ_BYTE_ARRAY && f->width == 0 && bind(leaf, ARMI_PQ_BYTES, 0);
    default:
        return armi_type_is_binary(f->type) && p == ARMI_PQ_BYTE_ARRAY &&
               bind(leaf, ARMI_PQ_BYTES, 0);
    }
}

bool armi_pq_leaf_bind(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e,
                       const struct armi_field *field)
{
    struct armi_pq_leaf bound = *leaf;
    const struct armi_field *value = armi_field_value(field);
    if (!bind_value(&bound, e, value))
        return false;
    bound.arrow_width = (uint32_t)armi_field_byte_width(value);
    if (armi_type_layout(value->type) == ARMI_LAYOUT_VIEW)
        bound.arrow_width = 0;
    *leaf = bound;
    return true;
}
